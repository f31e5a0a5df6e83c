import { count } from '~/lib/format'

import type { Tone } from './Badge'
import { cx } from './cx'

const fills: Record<Tone, string> = {
  plain: 'bg-line-strong',
  ok: 'bg-ok',
  warn: 'bg-warn',
  bad: 'bg-bad',
  accent: 'bg-accent',
  frost: 'bg-frost',
}

export type Part = { name: string; value: number; tone: Tone }

/** A bar of parts of a whole; the parts are also said in words. */
export function Meter({ parts, total, label, legend = false }: { parts: Part[]; total: number; label: string; legend?: boolean }) {
  const said = parts.filter((part) => part.value > 0).map((part) => `${count(part.value)} ${part.name}`)
  return (
    <div>
      <div aria-label={`${label}: ${said.join(', ') || 'none'} of ${count(total)}`} className="flex h-1.5 overflow-hidden rounded-full bg-sunken" role="img">
        {parts.map((part) => (
          <span
            className={cx('h-full transition-[width] duration-300', fills[part.tone])}
            key={part.name}
            style={{ width: `${total === 0 ? 0 : (part.value / total) * 100}%` }}
          />
        ))}
      </div>
      {legend && (
        <ul className="mt-1.5 flex flex-wrap gap-x-4 gap-y-1 text-sm text-ink-2">
          {parts
            .filter((part) => part.value > 0)
            .map((part) => (
              <li className="flex items-center gap-1.5" key={part.name}>
                <span aria-hidden="true" className={cx('size-2 rounded-full', fills[part.tone])} />
                <span className="tabular font-medium text-ink">{count(part.value)}</span> {part.name}
              </li>
            ))}
        </ul>
      )}
    </div>
  )
}
