import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useState } from 'react'

import { ApiProblem } from '~/api/client'
import { useSession } from '~/api/session'
import { styleNonce } from '~/lib/nonce'
import { TipProvider } from '~/ui/Tip'

import { Ended } from './Ended'
import { makeRouter } from './router'

function makeQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // A refusal stays a refusal; a process that does not answer may be starting.
        retry: (failures, error) => error instanceof ApiProblem && error.status === 0 && failures < 2,
        staleTime: 5_000,
      },
    },
  })
}

export function App() {
  const session = useSession()
  const [queries] = useState(makeQueries)
  const [router] = useState(() => makeRouter(queries))
  if (session.kind === 'starting') return null
  if (session.kind === 'ended') return <Ended why={session.why} />
  return (
    <CSPProvider nonce={styleNonce()}>
      <QueryClientProvider client={queries}>
        <TipProvider delay={350}>
          <RouterProvider router={router} />
        </TipProvider>
      </QueryClientProvider>
    </CSPProvider>
  )
}
