import { mkdtempSync, rmSync } from 'node:fs'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { build } from 'vite'

import { mockTransport } from '../../mock/transport.ts'
import { answerFor } from '../browser/serve.ts'

/** The pages as the operator's program embeds them, built once. */
export async function buildPages(): Promise<{ folder: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'bartizan-bench-'))
  // Vitest says `test` here, and React would be the one for development: it takes five times as long for everything.
  const { NODE_ENV: before } = process.env
  process.env.NODE_ENV = 'production'
  await build({ mode: 'production', logLevel: 'warn', build: { outDir: folder, emptyOutDir: true } })
  process.env.NODE_ENV = before
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export type Process = { origin: string; api: typeof fetch; end: () => Promise<void> }

/**
 * Serves the product's pages and answers their API from the mock, in this process: what the page does is measured, and
 * nothing that a page would not do itself.
 */
export async function startProcess(folder: string, world: Record<string, string>): Promise<Process> {
  const api = mockTransport(new URLSearchParams(world))
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (url.pathname.startsWith('/api/')) void relay(api, url, request, response)
    else {
      const { status, headers, body } = answerFor(folder, url.pathname)
      response.writeHead(status, headers).end(body)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://localhost:${port}`,
    api: (input, init) => api(new Request(input, { ...init, headers: { authorization: 'Bearer mock' } })),
    end: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function relay(api: typeof fetch, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const stop = new AbortController()
  response.once('close', () => stop.abort())
  const { method = 'GET' } = request
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const init = { method, signal: stop.signal, headers: { authorization: request.headers.authorization ?? '' } }
  try {
    const answer = await api(new Request(url, hasBody ? { ...init, body: Readable.toWeb(request) as ReadableStream, duplex: 'half' } as RequestInit : init))
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.flushHeaders()
    if (answer.body) await pipeline(Readable.fromWeb(answer.body as never), response)
    else response.end()
  } catch (error) {
    // Whoever went away needs no answer; everything else is a mistake of the mock, and shows in the page as well.
    if (!stop.signal.aborted) console.error(`${method} ${url.pathname}: ${String(error)}`)
    if (response.headersSent) response.destroy()
    else response.writeHead(500).end()
  }
}
