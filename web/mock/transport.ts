import type { paths } from '~/api/schema'

import { Refused, type Call, handlers } from './handlers'
import { keepMoving } from './moving'
import { News } from './news'
import { makeWorld } from './world'

/*
 * Answers every route of the document from memory, in the page. Its types come from the document: a route or a field that
 * moves there does not compile here.
 */
type Method = 'get' | 'post' | 'delete'
type Ok<O> = O extends { responses: infer R }
  ? R extends { 200: { content: infer C } }
    ? C[keyof C]
    : R extends { 204: unknown }
      ? undefined
      : never
  : never
type Query<O> = O extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never
type Path<O> = O extends { parameters: { path: infer P } } ? P : Record<never, never>
type Body<O> = O extends { requestBody: { content: { 'application/json': infer B } } } ? B : undefined
type Streams = '/api/v1/events' | '/api/v1/jobs/{id}/events'

export type Asked<P extends keyof paths, M extends Method> = M extends keyof paths[P]
  ? { query: Query<paths[P][M]>; path: Path<paths[P][M]>; body: Body<paths[P][M]> }
  : never

/** One function for each route and method of the document. */
export type Handlers = {
  [P in Exclude<keyof paths, Streams>]: {
    [M in Method as M extends keyof paths[P] ? (paths[P][M] extends { responses: unknown } ? M : never) : never]: (
      asked: Asked<P, M & Method>,
    ) => M extends keyof paths[P] ? Ok<paths[P][M]> : never
  }
}

type AnyHandler = (asked: { query: Record<string, unknown>; path: Record<string, unknown>; body: unknown }) => unknown

/** How long each answer takes, in milliseconds: `?mock-delay=` of the page, or as fast as it goes. */
function delayMs(search: URLSearchParams): number {
  const wanted = Number(search.get('mock-delay') ?? 0)
  return Number.isFinite(wanted) ? Math.min(5_000, Math.max(0, wanted)) : 0
}

/** Answers wait between the page's events `mock:hold` and `mock:release`, so that a test sees what stands meanwhile. */
function gate(): () => Promise<void> {
  let held = Promise.resolve()
  if (typeof document === 'undefined') return () => held
  document.addEventListener('mock:hold', () => {
    held = new Promise((release) => document.addEventListener('mock:release', () => release(), { once: true }))
  })
  return () => held
}

/** In a page its address says which world it is; elsewhere whoever starts it says so. */
export function mockTransport(search = new URLSearchParams(location.search)): typeof fetch {
  const news = new News()
  const world = makeWorld({ size: Number(search.get('mock-size') ?? 1_400), story: search.get('mock-story') ?? 'busy' }, news)
  const routes = handlers(world)
  const delay = delayMs(search)
  keepMoving(world, Number(search.get('mock-moving') ?? 0))
  const opened = gate()
  return async (input, init) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    // What was asked is on the browser's own list, where a test looks.
    performance.mark(`${request.method} ${url.pathname}`)
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay))
    await opened()
    if (request.signal.aborted) throw new DOMException('aborted', 'AbortError')
    if (url.pathname === '/api/v1/events') return stream(news, 'all', request.signal)
    const job = /^\/api\/v1\/jobs\/([^/]+)\/events$/.exec(url.pathname)
    if (job?.[1]) return stream(news, decodeURIComponent(job[1]), request.signal)
    try {
      const found = match(routes, url.pathname, request.method)
      if (!found) throw new Refused(404, 'console.unknown_route', 'there is no such route', 'reload the page')
      if (url.pathname !== '/api/v1/session' && request.headers.get('authorization') !== `Bearer ${world.token}`) {
        throw new Refused(401, 'console.no_session', 'this page is not logged in', 'open the link that `bartizan console` prints')
      }
      const text = await request.text()
      const body: unknown = text === '' ? undefined : JSON.parse(text)
      const answer = found.handler({ query: queryOf(url), path: found.path, body })
      if (typeof answer === 'string') return new Response(answer, { headers: { 'content-type': 'text/csv; charset=utf-8' } })
      return answer === undefined ? new Response(null, { status: 204 }) : json(200, answer)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      return json(error.status, { code: error.code, message: error.message, next: error.next })
    }
  }
}

function match(routes: Handlers, pathname: string, method: string): { handler: AnyHandler; path: Record<string, string> } | undefined {
  for (const [pattern, methods] of Object.entries(routes)) {
    const names: string[] = []
    const source = pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      names.push(name)
      return '([^/]+)'
    })
    const found = new RegExp(`^${source}$`).exec(pathname)
    const handler = (methods as Record<string, AnyHandler>)[method.toLowerCase()]
    if (found && handler) {
      return { handler, path: Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(found[at + 1] ?? '')])) }
    }
  }
  return undefined
}

/** Parameters that are numbers wherever they occur in the document. */
const numeric = new Set(['offset', 'limit', 'from', 'to', 'step_s'])

function queryOf(url: URL): Record<string, unknown> {
  return Object.fromEntries(
    [...url.searchParams].map(([name, value]) => {
      if (value === 'true' || value === 'false') return [name, value === 'true']
      return [name, /^\d+$/.test(value) && numeric.has(name) ? Number(value) : value]
    }),
  )
}

function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
}

function stream(news: News, about: string, signal: AbortSignal): Response {
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const stop = news.listen(about, (one) => controller.enqueue(encoder.encode(`data: ${JSON.stringify(one)}\n\n`)))
      signal.addEventListener('abort', () => {
        stop()
        controller.close()
      })
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}

export type { Call }
