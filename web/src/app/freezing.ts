import { createContext, useContext } from 'react'

/** Opens the freeze dialog for `org`, or for the scope of the page. */
export const FreezeContext = createContext<(scope?: string) => void>(() => undefined)

export function useFreezing(): (scope?: string) => void {
  return useContext(FreezeContext)
}
