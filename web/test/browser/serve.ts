import { readFileSync } from 'node:fs'
import { extname, join, normalize } from 'node:path'

import { contentSecurityPolicy, nonceMark } from '../../tools/csp.ts'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}
let answers = 0

export type Answer = { status: number; headers: Record<string, string>; body: Buffer }

/** What the operator's binary answers for a path of the pages: same policy, a fresh nonce. */
export function answerFor(folder: string, path: string): Answer {
  const clean = normalize(path)
  if (clean.startsWith('/assets/') || clean === '/icon.svg') {
    try {
      return { status: 200, headers: { 'content-type': types[extname(clean)] ?? 'application/octet-stream' }, body: readFileSync(join(folder, clean)) }
    } catch {
      return { status: 404, headers: {}, body: Buffer.alloc(0) }
    }
  }
  answers += 1
  const nonce = `nonce${answers}`
  const page = readFileSync(join(folder, 'index.html'), 'utf8').replaceAll(nonceMark, nonce)
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': contentSecurityPolicy(nonce, { dev: false }),
    'cross-origin-opener-policy': 'same-origin',
  }
  return { status: 200, headers, body: Buffer.from(page) }
}
