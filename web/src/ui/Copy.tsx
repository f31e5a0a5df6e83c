import { useState } from 'react'

import { Button } from './Button'

/** Copies exactly what is shown. */
export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [state, setState] = useState<'ready' | 'done' | 'failed'>('ready')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setState('done')
    } catch {
      setState('failed')
    }
    setTimeout(() => setState('ready'), 1600)
  }
  const words = { ready: label, done: 'Copied', failed: 'The browser refused; select it and press Ctrl-C' }
  return <Button icon={state === 'done' ? 'check' : 'copy'} label={words[state]} look="quiet" onClick={copy} size="sm" />
}

/** A command to be typed elsewhere. */
export function Command({ text, label }: { text: string; label: string }) {
  return (
    <div className="flex items-start gap-1 rounded-md border border-line bg-sunken py-1.5 pr-1.5 pl-3">
      {/* A region that scrolls must be reachable by the keyboard. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre aria-label={label} className="min-w-0 flex-1 overflow-x-auto py-0.5 whitespace-pre-wrap break-all" role="region" tabIndex={0}>
        {text}
      </pre>
      <CopyButton label={`Copy ${label}`} text={text} />
    </div>
  )
}
