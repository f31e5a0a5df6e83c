import { useSyncExternalStore } from 'react'

/** How this browser shows things. Nothing here decides anything. */
export type Preferences = { theme: 'system' | 'light' | 'dark'; singleKeys: boolean; columns: string[] | null }

const key = 'bartizan.preferences'
const standard: Preferences = { theme: 'system', singleKeys: true, columns: null }
const listeners = new Set<() => void>()
let current = load()

/** Anything can have written there: only known values are taken. */
export function parsePreferences(text: string | null): Preferences {
  if (text === null) return standard
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return standard
    const found = value as Record<string, unknown>
    const columns = Array.isArray(found.columns) ? found.columns.filter((name) => typeof name === 'string').slice(0, 32) : null
    return {
      theme: found.theme === 'light' || found.theme === 'dark' ? found.theme : 'system',
      singleKeys: found.singleKeys !== false,
      columns,
    }
  } catch {
    return standard
  }
}

function load(): Preferences {
  try {
    return parsePreferences(localStorage.getItem(key))
  } catch {
    return standard
  }
}

export function setPreferences(change: Partial<Preferences>): void {
  current = { ...current, ...change }
  try {
    localStorage.setItem(key, JSON.stringify(current))
  } catch {
    // A browser that keeps nothing still shows the change until it is closed.
  }
  applyTheme()
  for (const listener of listeners) listener()
}

export function preferences(): Preferences {
  return current
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => current,
  )
}

const wantsDark = typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: dark)') : undefined

/** Puts the theme on the document, now and when the system changes. */
export function applyTheme(): void {
  const dark = current.theme === 'system' ? wantsDark?.matches === true : current.theme === 'dark'
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
}

wantsDark?.addEventListener('change', applyTheme)
