import { createContext, useContext } from 'react'

import type { SignableAction } from '~/api/actions'
import type { Signed } from '~/api/schema'

export type Signing = (action: SignableAction, then?: (signed: Signed) => void) => void

export const SigningContext = createContext<Signing>(() => undefined)

/** Opens the signing sheet; every signature of the console goes through it. */
export function useSigning(): Signing {
  return useContext(SigningContext)
}
