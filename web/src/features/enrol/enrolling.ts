import { createContext, useContext } from 'react'

/** Opens the dialog that enrols endpoints, from wherever it is wanted. */
export const EnrolContext = createContext<() => void>(() => undefined)

export function useEnrolling(): () => void {
  return useContext(EnrolContext)
}
