import { useSyncExternalStore } from 'react'

// One clock for the whole page, so that a thousand times on it cost one timer.
let now = Math.floor(Date.now() / 1000)
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    now = Math.floor(Date.now() / 1000)
    for (const each of listeners) each()
  }, 5_000)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

/** The time in seconds, five seconds apart. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now)
}
