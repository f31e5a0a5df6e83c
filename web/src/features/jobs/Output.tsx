import { useEffect, useRef } from 'react'

import type { News } from '~/api/schema'
import { shortId } from '~/lib/format'
import { Card } from '~/ui/Layout'
import { Untrusted } from '~/ui/Untrusted'
import { cx } from '~/ui/cx'

export type OutputLine = { endpoint: string; stream: number; text: string; key: number }

/** Lines that are kept on the page; receipts count and hash all of it. */
const linesMax = 2_000
const lineMax = 4_000
let nextKey = 0

/** Adds live output, the oldest lines leave. */
export function appendOutput(before: OutputLine[], news: Extract<News, { kind: 'output' }>): OutputLine[] {
  const lines = news.text.replace(/\n$/, '').split('\n')
  const added = lines.map((text) => {
    nextKey += 1
    return { endpoint: news.endpoint, stream: news.stream, text: text.slice(0, lineMax), key: nextKey }
  })
  return [...before, ...added].slice(-linesMax)
}

/** What the endpoints print, as it comes. */
export function Output({ lines, live }: { lines: readonly OutputLine[]; live: boolean }) {
  const box = useRef<HTMLPreElement>(null)
  const atEnd = useRef(true)
  const newest = lines.at(-1)?.key
  useEffect(() => {
    if (newest !== undefined && atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [newest])
  if (lines.length === 0) {
    return live ? <p className="text-sm text-ink-3">Output shows here while endpoints print it. It is the server’s word until the receipt counts and hashes it.</p> : null
  }
  return (
    <Card flush title="Live output">
      {/* oxlint-disable jsx-a11y/no-noninteractive-tabindex */}
      <pre
        aria-label="Live output"
        className="max-h-80 overflow-auto px-4 py-3"
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget
          atEnd.current = scrollHeight - scrollTop - clientHeight < 24
        }}
        ref={box}
        role="log"
        tabIndex={0}
      >
        {lines.map((line) => (
          <div className="flex gap-3" key={line.key}>
            <span className="w-24 shrink-0 truncate text-ink-3" title={line.endpoint}>
              {shortId(line.endpoint)}
            </span>
            <span className={cx('min-w-0 flex-1', line.stream === 2 && 'text-bad')}>
              <Untrusted multiline text={line.text} />
            </span>
          </div>
        ))}
      </pre>
    </Card>
  )
}
