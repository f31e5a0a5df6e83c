import { useCallback, useMemo, useState } from 'react'

import { type AlertsParams, fetchAlerts } from '~/api/alerts'
import type { AlertItem } from '~/api/schema'

/** More than somebody can have looked at; a filter and another round are for the rest. */
export const selectionMax = 1_000
const windowMax = 500

export type AlertSelection = {
  chosen: ReadonlyMap<string, AlertItem>
  ids: ReadonlySet<string>
  last: number | undefined
  toggle: (rows: readonly AlertItem[], index: number, add: boolean) => void
  all: () => Promise<void>
  clear: () => void
  busy: boolean
}

/** The rows as they were when they were chosen: of each the endpoint is needed, too. */
export function useAlertSelection(filters: AlertsParams): AlertSelection {
  const [chosen, setChosen] = useState<ReadonlyMap<string, AlertItem>>(new Map())
  const [last, setLast] = useState<number>()
  const [busy, setBusy] = useState(false)
  const toggle = useCallback((rows: readonly AlertItem[], index: number, add: boolean) => {
    setLast(index)
    setChosen((before) => toggled(before, rows, add))
  }, [])
  const clear = useCallback(() => setChosen((before) => (before.size === 0 ? before : new Map())), [])
  const all = useCallback(async () => {
    setBusy(true)
    try {
      const next = new Map<string, AlertItem>()
      for (let offset = 0; offset < selectionMax; offset += windowMax) {
        const window = await fetchAlerts({ ...filters, offset, limit: windowMax })
        for (const row of window.rows) next.set(row.id, row)
        if (offset + windowMax >= window.total) break
      }
      setChosen(next)
    } finally {
      setBusy(false)
    }
  }, [filters])
  const ids = useMemo(() => new Set(chosen.keys()), [chosen])
  return useMemo(() => ({ chosen, ids, last, toggle, all, clear, busy }), [chosen, ids, last, toggle, all, clear, busy])
}

/** Rows come in or go out; with `add` none goes out. */
export function toggled(before: ReadonlyMap<string, AlertItem>, rows: readonly AlertItem[], add: boolean): ReadonlyMap<string, AlertItem> {
  const next = new Map(before)
  for (const row of rows) {
    if (add || !next.has(row.id)) {
      if (next.size < selectionMax) next.set(row.id, row)
    } else next.delete(row.id)
  }
  return next
}

/** Endpoints among them that are away, each once. */
export function awayEndpoints(alerts: Iterable<AlertItem>): string[] {
  const found = new Set<string>()
  for (const alert of alerts) if (alert.check === 'link' && alert.endpoint && alert.state !== 'resolved') found.add(alert.endpoint)
  return [...found]
}
