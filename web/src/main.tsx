import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { ApiProblem, answer, api, setTransport } from './api/client'
import { endSession, openSession, takeLaunchToken } from './api/session'
import { App } from './app/App'
import { applyTheme } from './lib/preferences'
import './styles.css'

declare const __MOCK__: boolean

/** Exchanges the token of the link for the token of this page. */
async function logIn(launch: string | undefined): Promise<void> {
  if (!launch) {
    endSession('none')
    return
  }
  try {
    openSession(await answer(api.POST('/api/v1/session', { body: { launch } })))
  } catch (error) {
    endSession(error instanceof ApiProblem && error.status === 401 ? 'used' : 'refused')
  }
}

async function start(): Promise<void> {
  applyTheme()
  let launch = takeLaunchToken()
  if (__MOCK__) {
    const { mockTransport } = await import('../mock/transport')
    setTransport(mockTransport())
    // Without a link there is nobody to print one.
    launch ??= new URLSearchParams(location.search).has('no-session') ? undefined : 'mock'
  }
  await logIn(launch)
}

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
void start()
