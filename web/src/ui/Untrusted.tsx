import { memo } from 'react'

import { visiblePieces, visibleText } from '~/lib/visible'

import { cx } from './cx'

type Props = { text: string; multiline?: boolean; className?: string; max?: number }

/**
 * Text that an endpoint, a server or a person wrote: isolated from the direction of what stands around it, and with every
 * character that would act instead of being seen shown as a mark.
 */
export const Untrusted = memo(function Untrusted({ text, multiline = false, className, max = 100_000 }: Props) {
  const cut = text.length > max
  const pieces = visiblePieces(cut ? text.slice(0, max) : text, { multiline })
  return (
    <bdi
      className={cx(multiline ? 'whitespace-pre-wrap break-words' : 'whitespace-pre', className)}
      title={multiline ? undefined : visibleText(text.slice(0, 1000))}
    >
      {pieces.map((piece, at) =>
        piece.kind === 'text' ? (
          piece.text
        ) : (
          <span className="control-mark" key={at} title={piece.name}>
            {piece.mark}
          </span>
        ),
      )}
      {cut && '…'}
    </bdi>
  )
})
