export type Leaf = { path: string; value: string }

/** Leaves that are taken: an endpoint may report anything. */
const leavesMax = 5_000
const depthMax = 12

/** Any JSON as paths and values. Hostile: bounded in number and depth, and nothing is looked up by its names. */
export function flatten(json: unknown): Leaf[] {
  const leaves: Leaf[] = []
  walk(json, '', 0, leaves)
  return leaves
}

function walk(json: unknown, path: string, depth: number, leaves: Leaf[]): void {
  if (leaves.length >= leavesMax) return
  if (typeof json !== 'object' || json === null) {
    leaves.push({ path, value: String(json) })
    return
  }
  if (depth >= depthMax) {
    leaves.push({ path, value: 'nested too deeply to show' })
    return
  }
  const entries = Object.entries(json)
  if (entries.length === 0) leaves.push({ path, value: Array.isArray(json) ? '[]' : '{}' })
  for (const [name, value] of entries) walk(value, path === '' ? name : `${path} › ${name}`, depth + 1, leaves)
}
