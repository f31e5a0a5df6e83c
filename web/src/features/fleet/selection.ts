import { useCallback, useMemo, useState } from 'react'

import { type FleetParams, fetchFleetWindow } from '~/api/queries'
import type { EndpointRow } from '~/api/schema'

/** More are better named by their tenant or site. */
export const selectionMax = 5_000
/** More do not fit into an address. */
const inAddressMax = 20

let handedOver: readonly string[] = []

/** What the fleet page handed over to the page that runs scripts. */
export function handedOverTargets(): readonly string[] {
  return handedOver
}

/** Everything since the last one, or the one alone. */
export function rangeOf(index: number, withShift: boolean, last: number | undefined): number[] {
  if (!withShift || last === undefined) return [index]
  const [from, to] = [Math.min(index, last), Math.max(index, last)]
  return Array.from({ length: to - from + 1 }, (_, at) => from + at)
}

function handOverTargets(targets: string[], go: (on: string[]) => void): void {
  handedOver = targets
  go(targets.length <= inAddressMax ? targets : ['selection'])
}

export type Selection = {
  ids: ReadonlySet<string>
  size: number
  /** Chosen by a filter that targets can name: `tenant:acme`. */
  last: number | undefined
  toggle: (rows: readonly EndpointRow[], index: number, add: boolean) => void
  all: () => Promise<void>
  clear: () => void
  busy: boolean
  targets: string[]
  handOver: (go: (on: string[]) => void) => void
}

export function useSelection(filters: FleetParams): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set())
  const [last, setLast] = useState<number>()
  const [busy, setBusy] = useState(false)

  const toggle = useCallback((rows: readonly EndpointRow[], index: number, add: boolean) => {
    setLast(index)
    setIds((before) => {
      const next = new Set(before)
      for (const row of rows) {
        if (add || !next.has(row.id)) next.add(row.id)
        else next.delete(row.id)
      }
      return next
    })
  }, [])
  const clear = useCallback(() => setIds((before) => (before.size === 0 ? before : new Set())), [])
  const all = useCallback(async () => {
    setBusy(true)
    try {
      const next = new Set<string>()
      for (let offset = 0; offset < selectionMax; offset += 500) {
        const window = await fetchFleetWindow({ ...filters, offset, limit: 500 })
        for (const row of window.rows) next.add(row.id)
        if (offset + 500 >= window.total) break
      }
      setIds(next)
    } finally {
      setBusy(false)
    }
  }, [filters])
  const targets = useMemo(() => [...ids], [ids])
  const handOver = useCallback((go: (on: string[]) => void) => handOverTargets(targets, go), [targets])
  return useMemo(
    () => ({ ids, size: ids.size, last, toggle, all, clear, busy, targets, handOver }),
    [ids, last, toggle, all, clear, busy, targets, handOver],
  )
}
