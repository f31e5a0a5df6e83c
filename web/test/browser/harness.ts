import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { type Browser, type BrowserContext, type Page, chromium } from 'playwright-core'

export type Theme = 'light' | 'dark'

/** Whether each page is looked at in both themes at both widths, as `make test-long` does. */
export const everyCombination = process.env.BARTIZAN_EVERY_COMBINATION === '1'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** How long to look again at what a page shows after a key. */
export const patient = { timeout: 15_000 }

/** Debian's Chromium, or the one `BARTIZAN_CHROMIUM` names. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.BARTIZAN_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--font-render-hinting=none',
      '--force-color-profile=srgb',
      '--hide-scrollbars',
    ],
  })
}

export type Opened = { context: BrowserContext; page: Page; complaints: string[] }

/** A page of its own context that collects everything the browser complains about, policy violations above all. */
export async function open(
  browser: Browser,
  url: string,
  { theme = 'light', width = 1440, height = 900, before }: { theme?: Theme; width?: number; height?: number; before?: (context: BrowserContext) => Promise<void> } = {},
): Promise<Opened> {
  const context = await browser.newContext({
    colorScheme: theme,
    reducedMotion: 'reduce',
    viewport: { width, height },
    locale: 'en-GB',
    timezoneId: 'UTC',
  })
  await before?.(context)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog opened: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(url)
  return { context, page, complaints }
}

export type Credential = { credentialId: string; isResidentCredential: boolean; rpId?: string; privateKey: string; userHandle?: string; signCount: number }

/** A device with passkeys that confirms by itself while it is at hand. */
export type Authenticator = { atHand: (yes: boolean) => Promise<void>; passkeys: () => Promise<Credential[]>; take: (passkey: Credential) => Promise<void> }

/** Adds Chromium's virtual authenticators to a page, one with each call of what it gives. */
export async function authenticators(page: Page): Promise<(transport?: 'internal' | 'usb') => Promise<Authenticator>> {
  const protocol = await page.context().newCDPSession(page)
  await protocol.send('WebAuthn.enable')
  return async (transport = 'internal') => {
    const { authenticatorId } = await protocol.send('WebAuthn.addVirtualAuthenticator', {
      options: { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport, hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    })
    return {
      atHand: async (enabled) => void (await protocol.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled })),
      passkeys: async () => (await protocol.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
      // Chromium's devices belong to one page each: that of another page gets the same passkey.
      take: async (credential) => void (await protocol.send('WebAuthn.addCredential', { authenticatorId, credential })),
    }
  }
}

/** The browser would like RSA, which no bundle can name. */
export const wantsRsa = /pubKeyCredParams is missing .* RS256/

/** Fonts are there and nothing is loading. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor()
  // The page's policy forbids `eval`, and with it functions that Playwright would run again and again.
  await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
  await page.evaluate('document.fonts.ready.then(() => true)')
}

export type Violation = { id: string; impact: string; nodes: string[] }

/** What axe finds on the page that is serious or critical. Evaluated over the protocol, so the page's policy stands. */
export async function seriousViolations(page: Page): Promise<Violation[]> {
  await page.evaluate(axeSource)
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') }
    const result = await axe.run(document, { resultTypes: ['violations'] })
    return result.violations.map((violation) => ({
      id: violation.id,
      impact: violation.impact ?? '',
      nodes: violation.nodes.slice(0, 5).map((node) => `${node.target.join(' ')} ${node.failureSummary ?? ''} ${node.html.slice(0, 200)}`),
    }))
  })
  return found.filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
}
