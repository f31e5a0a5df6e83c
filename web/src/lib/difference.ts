type Line = { change: 'same' | 'added' | 'removed'; text: string }
export type Part<L extends Line> = { kind: 'line'; line: L } | { kind: 'gap'; lines: number }

/** Leaves out what stands in both, but for a few lines around each change. A gap of one line is no gap. */
export function collapse<L extends Line>(lines: readonly L[], around: number): Part<L>[] {
  const near = lines.map(() => false)
  lines.forEach((line, at) => {
    if (line.change === 'same') return
    const from = Math.max(0, at - around)
    const to = Math.min(lines.length - 1, at + around)
    for (let each = from; each <= to; each += 1) near[each] = true
  })
  const parts: Part<L>[] = []
  let at = 0
  while (at < lines.length) {
    const line = lines[at]
    if (line === undefined) break
    let end = at
    while (end < lines.length && !near[end]) end += 1
    if (end - at > 1) {
      parts.push({ kind: 'gap', lines: end - at })
      at = end
      continue
    }
    parts.push({ kind: 'line', line })
    at += 1
  }
  return parts
}
