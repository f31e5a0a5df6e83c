import createClient, { type Middleware } from 'openapi-fetch'

import type { Problem, paths } from './schema'
import { endSession, sessionToken } from './session'

/** A refused request, with what the operator process said about it. */
export class ApiProblem extends Error {
  readonly code: string
  readonly next: string
  readonly status: number

  constructor(problem: Problem, status: number) {
    super(problem.message)
    this.name = 'ApiProblem'
    this.code = problem.code
    this.next = problem.next
    this.status = status
  }
}

const attach: Middleware = {
  onRequest({ request }) {
    const token = sessionToken()
    if (token) request.headers.set('authorization', `Bearer ${token}`)
    return request
  },
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && !schemaPath.endsWith('/session')) endSession('refused')
  },
}

export const apiBase = '/api/v1'

/** In the mock build another function answers; nothing else of the console knows. */
let transport: typeof fetch = (...request) => fetch(...request)

export function setTransport(other: typeof fetch): void {
  transport = other
}

export const api = createClient<paths>({ fetch: (request) => transport(request) })
api.use(attach)

/** A request to the operator process, for what the typed client has no words for: streams. */
export function request(path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers)
  const token = sessionToken()
  if (token) headers.set('authorization', `Bearer ${token}`)
  return transport(new Request(new URL(path, location.origin), { ...init, headers }))
}

/** The answer, or the problem as an error. */
export async function answer<T>(made: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let result: { data?: T; error?: unknown; response: Response }
  try {
    result = await made
  } catch (cause) {
    throw unreachable(cause)
  }
  if (result.data !== undefined) return result.data
  throw new ApiProblem(parseProblem(result.error, result.response.status), result.response.status)
}

/** A file that the operator process makes: whole, or an error. */
export async function fetchFile(path: string, signal?: AbortSignal): Promise<Blob> {
  let response: Response
  try {
    response = await request(path, signal ? { signal } : {})
    if (response.ok) return await response.blob()
  } catch (cause) {
    throw brokenOff(cause)
  }
  if (response.status === 401) endSession('refused')
  throw new ApiProblem(parseProblem(await response.json().catch(() => undefined), response.status), response.status)
}

function brokenOff(cause: unknown): ApiProblem {
  if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
  return new ApiProblem({ code: 'console.broken_off', message: 'the file broke off, and nothing was saved', next: 'try again; the terminal where `bartizan console` runs may say why' }, 0)
}

/** Whatever answered, there is something to show. */
export function parseProblem(body: unknown, status: number): Problem {
  if (typeof body === 'object' && body !== null && 'code' in body && 'message' in body) {
    const { code, message } = body
    const next = 'next' in body && typeof body.next === 'string' ? body.next : ''
    if (typeof code === 'string' && typeof message === 'string') return { code, message, next }
  }
  return {
    code: 'console.answer',
    message: `the console's process answered ${status} without saying why`,
    next: 'look at the terminal where `bartizan console` runs',
  }
}

function unreachable(cause: unknown): ApiProblem {
  if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
  return new ApiProblem(
    {
      code: 'console.unreachable',
      message: "the console's process on this computer does not answer",
      next: 'start it again with `bartizan console` and open the address that it prints',
    },
    0,
  )
}

/** Any error as something to show. */
export function problemOf(error: unknown): { code: string; message: string; next: string } {
  if (error instanceof ApiProblem) return { code: error.code, message: error.message, next: error.next }
  if (error instanceof DOMException && error.name === 'NotAllowedError') {
    return { code: 'passkey.cancelled', message: 'the passkey was not used', next: 'try again, and confirm in the window of the browser' }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'console.page', message, next: 'reload the page; if it happens again, report it with this text' }
}
