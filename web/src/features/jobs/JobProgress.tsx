import type { JobRow } from '~/api/schema'
import { count } from '~/lib/format'
import { Meter } from '~/ui/Meter'

import { stateTone, stateWord } from './badges'

const order = ['done', 'failed', 'refused', 'running', 'delivered', 'waiting', 'queued', 'expired', 'cancelled']

/** How far a job is in a list, by the server's word. */
export function JobProgress({ row }: { row: JobRow }) {
  const of = (state: string) => row.counts.find((one) => one.state === state)?.count ?? 0
  const ended = of('done') + of('failed') + of('refused')
  return (
    <span className="flex items-center gap-2">
      <span className="min-w-0 flex-1">
        <Meter label="Progress" parts={order.map((state) => ({ name: stateWord(state), value: of(state), tone: stateTone(state) }))} total={row.targets} />
      </span>
      <span className="tabular w-14 text-right text-sm text-ink-2">
        {count(ended)}/{count(row.targets)}
      </span>
    </span>
  )
}
