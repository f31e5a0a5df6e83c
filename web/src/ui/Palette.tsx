import { Dialog as Base } from '@base-ui/react/dialog'
import { type KeyboardEvent, useId, useRef, useState } from 'react'

import { matches } from '~/lib/match'

import { cx } from './cx'
import { Icon, type IconName } from './Icon'
import { Kbd } from './Kbd'
import { Untrusted } from './Untrusted'

export type PaletteItem = { id: string; group: string; name: string; icon: IconName; detail?: string; keys?: string; run: () => void }

type Props = {
  open: boolean
  onClose: () => void
  items: PaletteItem[]
  /** What is typed, so that the page can ask the server for more. */
  query: string
  onQuery: (query: string) => void
  busy: boolean
}

/** Everything there is, by its name. The list is small: what the server finds for the words comes through `items`. */
export function Palette({ open, onClose, items, query, onQuery, busy }: Props) {
  const [at, setAt] = useState(0)
  const list = useRef<HTMLUListElement>(null)
  const id = useId()
  const found = items.filter((item) => matches(`${item.group} ${item.name} ${item.detail ?? ''}`, query)).slice(0, 60)
  const active = Math.min(at, Math.max(0, found.length - 1))
  const move = (to: number) => {
    const next = (to + found.length) % Math.max(1, found.length)
    setAt(next)
    list.current?.querySelector(`[data-at="${next}"]`)?.scrollIntoView({ block: 'nearest' })
  }
  const choose = (item: PaletteItem | undefined) => {
    if (!item) return
    onClose()
    item.run()
  }
  const press = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') move(active + 1)
    else if (event.key === 'ArrowUp') move(active - 1)
    else if (event.key === 'Enter') choose(found[active])
    else return
    event.preventDefault()
  }
  return (
    <Base.Root onOpenChange={(next) => !next && onClose()} open={open}>
      <Base.Portal>
        <Base.Backdrop className="backdrop fixed inset-0 z-30" />
        <Base.Viewport className="fixed inset-0 z-40 flex items-start justify-center sm:pt-[12vh]">
          <Base.Popup className="dialog-popup flex max-h-dvh w-full flex-col border-line bg-raised shadow-2xl shadow-[var(--c-shadow)] outline-none sm:max-h-[70vh] sm:w-160 sm:rounded-lg sm:border">
            <Base.Title className="sr-only">Command palette</Base.Title>
            <div className="flex items-center gap-2.5 border-b border-line px-4 has-[:focus-visible]:shadow-[inset_0_0_0_2px_var(--c-accent)] sm:rounded-t-lg" data-focus-ring>
              <Icon className="text-ink-3" name="search" />
              <input
                aria-activedescendant={found.length > 0 ? `${id}-${active}` : undefined}
                aria-controls={`${id}-list`}
                aria-expanded="true"
                aria-label="What do you want to do?"
                autoComplete="off"
                className="h-11 flex-1 bg-transparent text-lg outline-none"
                onChange={(event) => {
                  setAt(0)
                  onQuery(event.target.value)
                }}
                onKeyDown={press}
                placeholder="Find an endpoint, a job, a page, an action"
                role="combobox"
                spellCheck={false}
                value={query}
              />
              <Kbd keys="Esc" />
            </div>
            <ul aria-label="Results" className="min-h-0 flex-1 overflow-y-auto p-1.5" id={`${id}-list`} ref={list} role="listbox">
              {found.map((item, index) => (
                // The input has the focus and the keys.
                // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
                <li
                  aria-selected={index === active}
                  className={cx('flex h-8.5 cursor-pointer items-center gap-2.5 rounded-md px-2.5', index === active && 'bg-selected')}
                  data-at={index}
                  id={`${id}-${index}`}
                  key={item.id}
                  onClick={() => choose(item)}
                  onMouseMove={() => setAt(index)}
                  role="option"
                >
                  <Icon className="shrink-0 text-ink-3" name={item.icon} />
                  <span className="min-w-0 truncate">
                    <Untrusted text={item.name} />
                  </span>
                  {item.detail && (
                    <span className="min-w-0 flex-1 truncate text-ink-3">
                      <Untrusted text={item.detail} />
                    </span>
                  )}
                  <span className="ml-auto shrink-0 text-xs text-ink-3">{item.group}</span>
                  {item.keys && <Kbd keys={item.keys} />}
                </li>
              ))}
            </ul>
            <p aria-live="polite" className={cx('px-4 text-ink-2', found.length === 0 ? 'pb-6 text-center' : 'sr-only')}>
              {found.length === 0 ? (busy ? 'Looking…' : 'Nothing has these words. Endpoints are found by name, id, operating system.') : `${found.length} results`}
            </p>
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  )
}
