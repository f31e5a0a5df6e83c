import { useSyncExternalStore } from 'react'

/**
 * The session of this page. The token is in this variable and nowhere else: cookies and storage of `localhost` are, or
 * outlive, other programs' as well.
 */
export type SessionState =
  | { kind: 'starting' }
  | { kind: 'open'; expires: number }
  | { kind: 'ended'; why: 'none' | 'refused' | 'expired' | 'used' | 'left' }

let token: string | undefined
let state: SessionState = { kind: 'starting' }
const listeners = new Set<() => void>()

function set(next: SessionState): void {
  state = next
  for (const listener of listeners) listener()
}

export function sessionToken(): string | undefined {
  return token
}

export function openSession(session: { token: string; expires: number }): void {
  token = session.token
  set({ kind: 'open', expires: session.expires })
}

export function endSession(why: 'none' | 'refused' | 'expired' | 'used' | 'left'): void {
  token = undefined
  set({ kind: 'ended', why })
}

export function useSession(): SessionState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => state,
  )
}

/** Takes the launch token out of the address, so that it is neither in the history nor in a bookmark. */
export function takeLaunchToken(): string | undefined {
  const found = /^#launch=([A-Za-z0-9_-]{1,256})$/.exec(location.hash)
  if (location.hash) history.replaceState(null, '', location.pathname + location.search)
  return found?.[1]
}
