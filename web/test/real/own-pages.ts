import type { BrowserContext } from 'playwright-core'

import { answerFor } from '../browser/serve.ts'

/** `BARTIZAN_PAGES=dist` shows pages that are not in the program yet; everything else is still answered by it. */
export async function withOwnPages(context: BrowserContext): Promise<void> {
  const folder = process.env.BARTIZAN_PAGES
  if (!folder) return
  await context.route(
    (url) => url.hostname === 'localhost' && !url.pathname.startsWith('/api/'),
    (route) => route.fulfill(answerFor(folder, new URL(route.request().url()).pathname)),
  )
}
