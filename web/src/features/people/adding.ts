import { createContext, useContext } from 'react'

/** Opens the dialog that adds a person, from wherever it is wanted. */
export const AddPersonContext = createContext<() => void>(() => undefined)

export function useAddingPerson(): () => void {
  return useContext(AddPersonContext)
}
