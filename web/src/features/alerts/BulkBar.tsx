import { count, plural } from '~/lib/format'
import { Button } from '~/ui/Button'
import { Kbd } from '~/ui/Kbd'

import type { DeedKind } from './Deed'
import { type AlertSelection, awayEndpoints, selectionMax } from './selection'

/** What can be done with what was chosen. */
export function BulkBar({ selection, total, onAct }: { selection: AlertSelection; total: number; onAct: (kind: DeedKind) => void }) {
  const alerts = [...selection.chosen.values()]
  const over = alerts.filter((alert) => alert.state === 'resolved').length
  const live = over === alerts.length && 'They are over already.'
  const away = awayEndpoints(alerts).length
  return (
    <div aria-label="Selection" className="border-t border-line-strong bg-raised px-4 py-2.5 shadow-[0_-8px_24px_-12px_var(--c-shadow)] lg:px-6" role="region">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <span aria-live="polite" className="tabular font-semibold">
          {count(alerts.length)} chosen
        </span>
        <span className="flex-1 text-ink-3">{over > 0 && over < alerts.length && `${plural(over, 'one is', 'of them are')} over already`}</span>
        {alerts.length < Math.min(total, selectionMax) && (
          <Button busy={selection.busy} look="quiet" onClick={() => void selection.all()}>
            Choose {total > selectionMax ? `the first ${count(selectionMax)}` : `all ${count(total)}`}
          </Button>
        )}
        <Button look="quiet" onClick={selection.clear}>
          Clear
        </Button>
        <Button disabledReason={away === 0 && 'None of them is about an endpoint that is away.'} icon="bell" onClick={() => onAct('tell_me')}>
          Tell me when back
        </Button>
        <Button hint={<>Write into the history <Kbd keys="n" /></>} onClick={() => onAct('note')}>
          Note
        </Button>
        <Button disabledReason={live} hint={<>It is over <Kbd keys="e" /></>} onClick={() => onAct('resolve')}>
          Resolve
        </Button>
        <Button disabledReason={live} hint={<>I look after it <Kbd keys="a" /></>} icon="check" look="primary" onClick={() => onAct('acknowledge')}>
          Acknowledge
        </Button>
      </div>
    </div>
  )
}
