import type { PolicyItem } from '~/api/schema'

export type PlaceGroup = { key: string; depth: number; name: string; policies: PolicyItem[] }

/** Organisation, then each tenant with its sites and endpoints, each place once. Of a name the newest version comes first. */
export function byPlace(policies: readonly PolicyItem[]): PlaceGroup[] {
  const groups = new Map<string, PlaceGroup>()
  for (const policy of policies) {
    const { tenant, site, endpoint, words } = policy.place
    const depth = endpoint ? 3 : site ? 2 : tenant ? 1 : 0
    // Signs that no name has keep the parts of a key apart, and widest first.
    const key = depth === 0 ? '' : `${tenant ?? ''}\u0001${depth}\u0001${site ?? ''}\u0001${endpoint ?? ''}`
    const group = groups.get(key) ?? { key, depth, name: words, policies: [] }
    group.policies.push(policy)
    groups.set(key, group)
  }
  const sorted = [...groups.values()].toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return sorted.map((group) => ({ ...group, policies: group.policies.toSorted((a, b) => a.name.localeCompare(b.name) || b.version - a.version) }))
}

/** Those that endpoints look at, or would if enough people had signed. */
export function isInForce(policy: Pick<PolicyItem, 'state'>): boolean {
  return policy.state === 'active' || policy.state === 'pending'
}
