import { Dialog as Base } from '@base-ui/react/dialog'
import { type ReactNode, useRef } from 'react'

import { Button } from './Button'
import { cx } from './cx'

type Props = {
  open: boolean
  onClose: () => void
  title: ReactNode
  description?: ReactNode
  children: ReactNode
  footer?: ReactNode
  /** `sheet` comes from the right and is as tall as the window. */
  kind?: 'dialog' | 'sheet'
  size?: 'sm' | 'md' | 'lg'
}

const widths = { sm: 'sm:w-110', md: 'sm:w-150', lg: 'sm:w-200' }

export function Dialog(props: Props) {
  const { open, onClose, title, description, children, footer, kind = 'dialog', size = 'md' } = props
  const content = useRef<HTMLDivElement>(null)
  // The first field, or the text: it is there to be read, and the arrows scroll it.
  const initialFocus = () => content.current?.querySelector<HTMLElement>('input:not([type=checkbox]), select, textarea') ?? content.current
  return (
    <Base.Root onOpenChange={(next) => !next && onClose()} open={open}>
      <Base.Portal>
        <Base.Backdrop className="backdrop fixed inset-0 z-30" />
        <Base.Viewport
          className={cx(
            'fixed inset-0 z-40 flex',
            kind === 'sheet' ? 'justify-end' : 'items-end justify-center sm:items-start sm:pt-[10vh]',
          )}
        >
          <Base.Popup
            className={cx(
              'flex w-full flex-col border-line bg-raised text-ink shadow-2xl shadow-[var(--c-shadow)] outline-none',
              widths[size],
              kind === 'sheet'
                ? 'drawer-popup h-full border-l'
                : 'dialog-popup max-h-[92dvh] rounded-t-lg border sm:max-h-[80dvh] sm:rounded-lg',
            )}
            initialFocus={initialFocus}
          >
            <header className="flex items-start gap-3 border-b border-line px-4 py-3">
              <div className="min-w-0 flex-1">
                <Base.Title className="text-lg font-semibold">{title}</Base.Title>
                {description && <Base.Description className="mt-0.5 text-ink-2">{description}</Base.Description>}
              </div>
              <Base.Close render={<Button icon="close" label="Close" look="quiet" tip={false} />} />
            </header>
            <div className="min-h-0 flex-1 overflow-y-auto px-4 py-4 -outline-offset-2" ref={content} role="group" tabIndex={-1}>
              {children}
            </div>
            {footer && (
              <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-4 py-3">{footer}</footer>
            )}
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  )
}
