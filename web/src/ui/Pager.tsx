import { count } from '~/lib/format'

import { Button } from './Button'

/** From which row to which, and on. */
export function Pager({ offset, limit, total, onOffset }: { offset: number; limit: number; total: number; onOffset: (offset: number) => void }) {
  if (total <= limit && offset === 0) return null
  const last = Math.min(total, offset + limit)
  return (
    <div className="flex items-center justify-end gap-2 border-t border-line px-4 py-1.5 text-ink-2">
      <span className="tabular">
        {count(offset + 1)} to {count(last)} of {count(total)}
      </span>
      <Button disabledReason={offset === 0 && 'This is the beginning.'} onClick={() => onOffset(Math.max(0, offset - limit))} size="sm">
        Back
      </Button>
      <Button disabledReason={last >= total && 'This is the end.'} onClick={() => onOffset(offset + limit)} size="sm">
        On
      </Button>
    </div>
  )
}
