import { useEffect, useEffectEvent } from 'react'

/** What somebody chose elsewhere, for the page that can do it: it may not be there yet. */
let wished: string | undefined
const listeners = new Set<() => void>()

export function wish(name: string): void {
  wished = name
  for (const listener of listeners) listener()
}

/** Does what was wished, once, as soon as the page is ready. */
export function useWishes(acts: Record<string, () => void>, ready = true): void {
  const grant = useEffectEvent(() => {
    const act = ready && wished !== undefined ? acts[wished] : undefined
    if (!act) return
    wished = undefined
    act()
  })
  useEffect(() => {
    const listener = () => grant()
    listener()
    listeners.add(listener)
    return () => void listeners.delete(listener)
    // Whoever becomes ready looks again.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [ready])
}
