import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'vite'
import type { TestProject } from 'vitest/node'

import { answerFor } from './serve.ts'

/** Builds the console with its mock and serves it as the operator's binary does. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await build({ mode: 'mock', logLevel: 'warn' })
  const folder = join(import.meta.dirname, '../../dist-mock')
  const server = createServer((request, response) => {
    const { status, headers, body } = answerFor(folder, new URL(request.url ?? '/', 'http://localhost').pathname)
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  project.provide('origin', `http://localhost:${port}`)
  return async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}
