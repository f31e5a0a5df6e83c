import { type IncomingMessage, type Server, createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type Authenticator, type Opened, authenticators, launch, open, wantsRsa } from '../browser/harness.ts'
import { withOwnPages } from './own-pages.ts'
import { dialog, enterWithPasskey, sign } from './people.ts'
import { type Answer, withAnswer } from './sshsig.ts'
import { Stage } from './stage.ts'

// Bob signs with a passkey in a real console. Pages of other origins are open in the same browser, and his device confirms
// whatever it is asked: what stands between them is the browser, the process, and the guard.
const stage = new Stage()
let browser: Browser
let bob: Opened
let device: Authenticator
let port: number
let otherPort: Server
let elsewhere: string

beforeAll(async () => {
  await stage.organisation()
  stage.endpoint('endpoint-1', stage.enrolment())
  otherPort = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>another program</title>'))
  await new Promise<void>((resolve) => otherPort.listen(0, '127.0.0.1', resolve))
  elsewhere = `http://localhost:${(otherPort.address() as AddressInfo).port}`
  browser = await launch()
  port = await stage.port()
  bob = await open(browser, await stage.console('bob', port), { before: withOwnPages })
  device = await (await authenticators(bob.page))()
  await enterWithPasskey(stage, bob.page, port)
})
afterAll(async () => {
  await browser?.close()
  otherPort?.close()
  await stage.end()
})

/** What a page gets from the browser for a signature with Bob's passkey. */
function askForSignature(page: Page, challenge: string, credential: string): Promise<{ error?: string; answer?: Answer }> {
  return page.evaluate(
    async ({ challenge, credential }) => {
      const bytes = (text: string) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
      const text = (buffer: ArrayBuffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
      try {
        const found = (await navigator.credentials.get({
          publicKey: { rpId: 'localhost', challenge: bytes(challenge), allowCredentials: [{ type: 'public-key', id: bytes(credential) }], userVerification: 'required' },
        })) as PublicKeyCredential
        const { authenticatorData, clientDataJSON, signature } = found.response as AuthenticatorAssertionResponse
        return { answer: { authenticatorData: text(authenticatorData), clientData: text(clientDataJSON), signature: text(signature) } }
      } catch (error) {
        return { error: error instanceof Error ? error.name : String(error) }
      }
    },
    { challenge, credential },
  )
}

/** Another page in Bob's browser, with his device at hand. */
async function otherPage(url: string): Promise<{ page: Page; device: Authenticator; credential: string }> {
  // Pages that are not in the program yet are put in place of the console's, and of nobody else's.
  if (url === elsewhere) await bob.context.route(`${elsewhere}/**`, (route) => route.continue())
  const page = await bob.context.newPage()
  await page.goto(url)
  const [passkey] = await device.passkeys()
  if (!passkey) throw new Error('the device has no passkey')
  const same = await (await authenticators(page))()
  await same.take(passkey)
  return { page, device: same, credential: passkey.credentialId }
}

const countOf = async (one: Authenticator) => (await one.passkeys())[0]?.signCount

test("the server's own page asks for a signature, and the browser refuses before it asks the device", async () => {
  const server = 'https://rmm.example'
  await bob.context.route(`${server}/**`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>the server</title>' }))
  const { page, device: same, credential } = await otherPage(`${server}/`)
  const before = await countOf(same)
  expect(await page.evaluate(() => window.isSecureContext)).toBe(true)
  expect(await askForSignature(page, 'AAECAwQFBgcICQoLDA0ODw', credential)).toEqual({ error: 'SecurityError' })
  expect(await countOf(same)).toBe(before)
  await page.close()
})

/** The sheet of a job that Bob is about to sign, as his page got it, with the token of that page. */
async function sheetOfBob(title: string): Promise<{ sheet: { token: string; id: string; words: string; passkey: { challenge: string; credentials: string[] } }; bearer: string }> {
  const { page } = bob
  await page.keyboard.press('g')
  await page.keyboard.press('f')
  await page.getByRole('grid', { name: 'Endpoints' }).focus()
  await page.getByRole('row').nth(1).waitFor()
  await page.keyboard.press('x')
  await page.getByText('1 chosen').waitFor()
  await page.keyboard.press('r')
  await page.getByLabel('Title').fill(title)
  await page.getByRole('textbox', { name: 'Script', exact: true }).focus()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('touch ran-it')
  const [response] = await Promise.all([page.waitForResponse((one) => one.url().endsWith('/api/v1/sheets/job')), page.keyboard.press('Control+Enter')])
  const bearer = (await response.request().allHeaders()).authorization ?? ''
  return { sheet: (await response.json()) as never, bearer }
}

/** A request as a program writes it that can say anything about itself. */
function raw(method: string, path: string, headers: Record<string, string>, body = ''): Promise<{ status: number; code: string }> {
  return new Promise((resolve, reject) => {
    const made = ask({ host: '127.0.0.1', port, method, path, headers: { host: `localhost:${port}`, 'content-type': 'application/json', ...headers } }, (response: IncomingMessage) => {
      let text = ''
      response.on('data', (piece: Buffer) => (text += piece.toString()))
      response.on('end', () => {
        const { code } = (text.startsWith('{') ? JSON.parse(text) : {}) as { code?: string }
        resolve({ status: response.statusCode ?? 0, code: code ?? '' })
      })
    })
    made.on('error', reject)
    made.end(body)
  })
}

test('a page on another port gets a signature over a job, and neither the process nor the guard takes it', async () => {
  const { page } = bob
  await page.getByRole('button', { name: /Live, verified/ }).first().waitFor()
  await stage.until('the endpoint', () => stage.database("print(db.execute('select count(*) from endpoint').fetchone()[0])") === '1')
  // Away, so that there is time to change the job on its way.
  await stage.stop('endpoint-1')
  const { sheet, bearer } = await sheetOfBob('By whom')
  const { page: evil, credential } = await otherPage(elsewhere)
  const { answer } = await askForSignature(evil, sheet.passkey.challenge, Buffer.from(credential, 'base64').toString('base64url'))
  if (!answer) throw new Error('the browser gave no signature: then this attack is over, and this test')
  expect(JSON.parse(Buffer.from(answer.clientData, 'base64').toString()).origin).toBe(elsewhere)
  await evil.close()

  // Even with the token of Bob's page, and saying that it was that page: the process verifies what it sends away.
  const url = (text: string) => Buffer.from(text, 'base64').toString('base64url')
  const assertion = { credential: sheet.passkey.credentials[0], authenticator_data: url(answer.authenticatorData), client_data: url(answer.clientData), signature: url(answer.signature) }
  const body = JSON.stringify({ token: sheet.token, id: sheet.id, words: sheet.words, assertion })
  const refused = await raw('POST', '/api/v1/sign', { authorization: bearer, origin: `http://localhost:${port}` }, body)
  expect(refused).toMatchObject({ status: 422, code: 'refused' })

  // The sheet is spent. Bob signs another one, honestly; on its way the server puts the other port's signature in its place.
  await page.keyboard.press('Escape')
  await dialog(page).waitFor({ state: 'detached' })
  const [response] = await Promise.all([page.waitForResponse((one) => one.url().endsWith('/api/v1/sheets/job')), page.keyboard.press('Control+Enter')])
  const honest = (await response.json()) as { id: string; passkey: { challenge: string } }
  const again = await otherPage(elsewhere)
  const stolen = await askForSignature(again.page, honest.passkey.challenge, Buffer.from(again.credential, 'base64').toString('base64url'))
  await again.page.close()
  if (!stolen.answer) throw new Error('the browser gave no signature')
  const [signed] = await Promise.all([page.waitForRequest((one) => one.url().endsWith('/api/v1/sign')), sign(page, 'Sign')])
  const envelope = JSON.parse(stage.database(`print(db.execute("select envelope from job where id = '${honest.id}'").fetchone()[0].decode())`)) as { signatures: { sig: string }[] }
  const own = envelope.signatures[0]
  if (!own) throw new Error('the job is not signed')
  const blob = Buffer.from(own.sig, 'base64')
  // With the answer that Bob's own page got it is the same signature: what the guard refuses below is the other one's origin.
  const { assertion: given } = signed.postDataJSON() as { assertion: { authenticator_data: string; client_data: string; signature: string } }
  expect(withAnswer(blob, { authenticatorData: given.authenticator_data, clientData: given.client_data, signature: given.signature })).toEqual(blob)
  own.sig = withAnswer(blob, stolen.answer).toString('base64')
  const bytes = Buffer.from(JSON.stringify(envelope)).toString('hex')
  stage.database(`db.execute("update job set envelope = x'${bytes}' where id = '${honest.id}'")`)
  stage.resume('endpoint-1')
  const code = await stage.until('the refusal', () => stage.database(`print(db.execute("select code from job_target where job = '${honest.id}'").fetchone()[0] or '')`))
  // Bob's key by that origin is nobody's key.
  expect(code).toBe('sig.author_missing')
  expect(stage.database(`print(db.execute("select state from job_target where job = '${honest.id}'").fetchone()[0])`)).toBe('refused')
})

test("a page on another port finds the console's door shut, with a stolen token and without", async () => {
  const { page, bearer } = await (async () => {
    const { bearer } = await sheetOfBob('For its token')
    await bob.page.keyboard.press('Escape')
    return { page: (await otherPage(elsewhere)).page, bearer }
  })()
  let asked = 0
  page.on('request', (request) => {
    if (new URL(request.url()).pathname.startsWith('/api/')) asked += 1
  })
  const console = `http://localhost:${port}`
  const got = await page.evaluate(
    async ({ console, bearer }) => {
      const tries: [string, RequestInit][] = [
        ['/api/v1/me', {}],
        ['/api/v1/me', { headers: { authorization: bearer } }],
        ['/api/v1/sign', { method: 'POST', mode: 'no-cors', body: '{}' }],
        ['/api/v1/session', { method: 'POST', mode: 'no-cors', body: '{"launch":"AAAA"}' }],
        ['/api/v1/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"launch":"AAAA"}' }],
        ['/api/v1/events', { headers: { authorization: bearer } }],
      ]
      const read: string[] = []
      for (const [path, init] of tries) {
        try {
          const response = await fetch(console + path, init)
          const text = await response.text()
          if (response.type !== 'opaque' || text !== '') read.push(`${path}: ${text}`)
        } catch {
          // Refused by the browser, since the console did not allow it.
        }
      }
      const frame = document.createElement('iframe')
      frame.src = `${console}/`
      document.body.append(frame)
      await new Promise((resolve) => frame.addEventListener('load', resolve))
      let inside = 'closed'
      try {
        inside = frame.contentDocument?.title ?? 'closed'
      } catch {
        // Of another origin, as it must be.
      }
      return { read, inside }
    },
    { console, bearer },
  )
  expect(got).toEqual({ read: [], inside: 'closed' })
  // Asked it was: a page that cannot even ask would show nothing.
  expect(asked).toBeGreaterThan(0)
  await page.close()

  const foreign = { status: 403, code: 'console.foreign_origin' }
  expect(await raw('GET', '/api/v1/me', { authorization: bearer, origin: elsewhere })).toEqual(foreign)
  expect(await raw('GET', '/api/v1/me', { authorization: bearer, 'sec-fetch-site': 'same-site' })).toEqual(foreign)
  expect(await raw('GET', '/', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' })).toEqual(foreign)
  expect(await raw('POST', '/api/v1/session', { origin: elsewhere }, '{"launch":"AAAA"}')).toEqual(foreign)
  expect(await raw('GET', '/api/v1/me', { authorization: bearer, host: `rmm.example:${port}` })).toEqual({ status: 421, code: 'console.foreign_host' })
  expect(await raw('GET', '/api/v1/me', {})).toEqual({ status: 401, code: 'console.no_session' })
  // And the token is good where it belongs: what was refused was refused for where it came from.
  expect((await raw('GET', '/api/v1/me', { authorization: bearer })).status).toBe(200)
})

test('somebody found the recovery sheet: Bob vetoes the bundle that waits, and the endpoint never believes it', async () => {
  const { page } = bob
  const before = stage.status('endpoint-1').bundle
  const [mallory, eve] = [stage.person('mallory', 'Mallory Example'), stage.person('eve', 'Eve Example')]
  const sheet = ['--sheet', 'paper/recovery.age', '--anchor', stage.anchor, '--server', stage.plane]
  stage.json('mallory', ['recover', 'propose', ...sheet, '--with', 'mallory.card', 'eve.card', '--words', mallory, '--words', eve])
  for (const who of ['mallory', 'eve']) stage.json(who, ['recover', 'sign', 'recovered.json'])
  const sent = stage.json('mallory', ['recover', 'send', 'recovered.json', ...sheet])
  expect(sent.in_force).toBe(false)
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: /^Trust/ }).click()
  await page.getByText(/weakens something/).waitFor({ timeout: 60_000 })
  await page.getByRole('button', { name: 'Veto' }).click()
  await sign(page, 'Veto')
  await page.getByText(/weakens something/).waitFor({ state: 'detached', timeout: 60_000 })
  // The endpoint has followed the log as far as the veto, and stands by its bundle.
  const size = Number(stage.database('print(db.execute("select count(*) from log_entry where log = \'control\'").fetchone()[0])'))
  await stage.until('the endpoint to read the veto', () => stage.status('endpoint-1').control_log >= size)
  expect(stage.status('endpoint-1').bundle).toBe(before)
})

test('nothing that was refused was done, and no page broke the policy', () => {
  const expected = (text: string) => wantsRsa.test(text) || // His console was started anew while its page was open.
    text.startsWith('Failed to load resource')
  expect(bob.complaints.filter((text) => !expected(text))).toEqual([])
})
