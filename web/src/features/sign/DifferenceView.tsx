import { useState } from 'react'

import type { Difference, DifferenceLine } from '~/api/schema'
import { collapse } from '~/lib/difference'
import { plural } from '~/lib/format'
import { Button } from '~/ui/Button'
import { cx } from '~/ui/cx'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

/** What differs from the last statement of its kind. */
export function DifferenceView({ difference }: { difference: Difference }) {
  const added = difference.lines.filter((line) => line.change === 'added').length
  const removed = difference.lines.filter((line) => line.change === 'removed').length
  return (
    <section>
      <h3 className="mb-1.5 flex flex-wrap items-baseline gap-x-2 font-semibold">
        Difference
        <span className="font-normal text-ink-2">
          from <code>{difference.from}</code> of <Time at={difference.at} />
          {!difference.same && (
            <>
              : <span className="text-ok">{plural(added, 'line')} new</span>, <span className="text-bad">{removed} gone</span>
            </>
          )}
        </span>
      </h3>
      {difference.same ? <p className="text-ink-2">Nothing differs.</p> : <DifferenceLines lines={difference.lines} />}
    </section>
  )
}

const looks = {
  same: { sign: ' ', line: '', word: '' },
  added: { sign: '+', line: 'bg-ok-soft', word: 'added' },
  removed: { sign: '−', line: 'bg-bad-soft', word: 'removed' },
}

export function DifferenceLines({ lines }: { lines: readonly DifferenceLine[] }) {
  const [whole, setWhole] = useState(false)
  const parts = collapse(lines, whole ? Number.POSITIVE_INFINITY : 3)
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div aria-label="Difference" className="max-h-96 overflow-auto rounded-md border border-line bg-sunken py-1.5 font-mono text-sm" role="region" tabIndex={0}>
      {parts.map((part, at) =>
        part.kind === 'gap' ? (
          <div className="px-3 py-0.5" key={at}>
            <Button look="quiet" onClick={() => setWhole(true)} size="sm">
              {plural(part.lines, 'line')} the same: show
            </Button>
          </div>
        ) : (
          <div className={cx('flex gap-2 px-3', looks[part.line.change].line)} key={at}>
            <span aria-hidden="true" className="w-3 shrink-0 select-none text-ink-2">
              {looks[part.line.change].sign}
            </span>
            {looks[part.line.change].word && <span className="sr-only">{looks[part.line.change].word}: </span>}
            <Untrusted className="min-w-0" multiline text={part.line.text} />
          </div>
        ),
      )}
    </div>
  )
}
