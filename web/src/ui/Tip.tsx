import { Tooltip } from '@base-ui/react/tooltip'
import type { ReactElement, ReactNode } from 'react'

/** A few words beside a control, on hover and on focus. */
export function Tip({ content, children }: { content: ReactNode; children: ReactElement<Record<string, unknown>> }) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger render={children} />
      <Tooltip.Portal>
        <Tooltip.Positioner className="z-50" side="bottom" sideOffset={6}>
          <Tooltip.Popup className="max-w-72 rounded-md border border-line-strong bg-raised px-2 py-1 text-sm text-ink shadow-lg shadow-[var(--c-shadow)]">
            {content}
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  )
}

export const TipProvider = Tooltip.Provider
