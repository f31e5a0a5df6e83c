import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { build } from 'vite'
import type { TestProject } from 'vitest/node'

import { contentSecurityPolicy, nonceMark } from '../../tools/csp.ts'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** Builds the console with its mock and serves it as the operator's binary does: same policy, fresh nonce. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await build({ mode: 'mock', logLevel: 'warn' })
  const root = join(import.meta.dirname, '../../dist-mock')
  const page = readFileSync(join(root, 'index.html'), 'utf8')
  let answers = 0
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname)
    if (path.startsWith('/assets/') || path === '/icon.svg') {
      try {
        const bytes = readFileSync(join(root, path))
        response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' }).end(bytes)
      } catch {
        response.writeHead(404).end()
      }
      return
    }
    answers += 1
    const nonce = `nonce${answers}`
    response.writeHead(200, {
      'content-type': types['.html'],
      'content-security-policy': contentSecurityPolicy(nonce, { dev: false }),
      'cross-origin-opener-policy': 'same-origin',
    })
    response.end(page.replaceAll(nonceMark, nonce))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  project.provide('origin', `http://localhost:${port}`)
  return async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}
