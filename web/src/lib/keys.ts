import { useEffect, useEffectEvent } from 'react'

import { preferences } from './preferences'

/** Whether a key belongs to what has the focus: a field, an editor. */
function taken(event: KeyboardEvent): boolean {
  const target = event.target
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || target.closest('input:not([type=checkbox]), textarea, select, [contenteditable]') !== null
}

/** Whether Enter presses what has the focus. */
function pressed(event: KeyboardEvent): boolean {
  return event.key === 'Enter' && event.target instanceof HTMLElement && event.target.closest('a, button, summary, [role=button]') !== null
}

function covered(): boolean {
  return document.querySelector('[role=dialog], [role=alertdialog], [role=menu]') !== null
}

/** "j", "?", "Escape", "mod+k" (Ctrl or Cmd), "mod+Enter". */
export function keyName(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  return `${event.ctrlKey || event.metaKey ? 'mod+' : ''}${event.altKey ? 'alt+' : ''}${key}`
}

let first: { key: string; at: number } | undefined

/**
 * Acts on keys while the component is on the page. "g f" is one key after the other. Keys of a page are off under dialogs;
 * single keys also in fields, and where the person switched them off.
 */
export function useKeys(map: Record<string, ((event: KeyboardEvent) => void) | undefined>, layer: 'page' | 'dialog' = 'page'): void {
  const press = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || (layer === 'page' && covered())) return
    const name = keyName(event)
    const withModifier = name.startsWith('mod+')
    if (!withModifier && (taken(event) || pressed(event) || !preferences().singleKeys)) return
    const two = first && performance.now() - first.at < 1200 ? `${first.key} ${name}` : undefined
    const act = (two && map[two]) || map[name]
    if (!act) return
    event.preventDefault()
    act(event)
  })
  useEffect(() => {
    const listener = (event: KeyboardEvent) => press(event)
    window.addEventListener('keydown', listener)
    return () => window.removeEventListener('keydown', listener)
  }, [])
}

/** Remembers the first of two keys; called once, by the shell, after everybody else has seen the key. */
export function rememberFirst(event: KeyboardEvent): void {
  const name = keyName(event)
  first = name === 'g' && !taken(event) ? { key: name, at: performance.now() } : undefined
}
