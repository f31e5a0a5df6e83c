import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where the programs are: beside each other, as `cargo build` leaves them. */
const programs = process.env.BARTIZAN_PROGRAMS ?? join(import.meta.dirname, '../../../target/debug')

function program(name: string): string {
  const path = join(programs, name)
  if (!existsSync(path)) throw new Error(`${path} is missing: cargo build -p ${name}, or set BARTIZAN_PROGRAMS`)
  return path
}

/** A port that nobody has at this moment. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** Real programs in a folder of their own: a server, witnesses, endpoints, and a console for each person. */
export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), 'bartizan-console-'))
  readonly #running = new Map<string, ChildProcess>()
  plane = ''

  path(name: string): string {
    return join(this.folder, name)
  }

  #environment(): NodeJS.ProcessEnv {
    const { SSH_AUTH_SOCK: _, BARTIZAN_HOME: __, BARTIZAN_PASSPHRASE_FILE: ___, ...rest } = process.env
    return { ...rest, BARTIZAN_LAN: 'off' }
  }

  /** Runs a program to its end; what it printed. */
  run(name: string, args: string[]): string {
    return execFileSync(program(name), args, { cwd: this.folder, env: this.#environment(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** `bartizan …` of a person, without questions. */
  tool(who: string, args: string[]): string {
    return this.run('bartizan', ['--home', this.path(who), ...args, '--yes'])
  }

  json(who: string, args: string[]): Record<string, unknown> {
    const lines = this.run('bartizan', ['--home', this.path(who), ...args, '--yes', '--json']).trim().split('\n')
    return JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown>
  }

  start(file: string, name: string, args: string[]): void {
    const [out, log] = [openSync(this.path(`${file}.out`), 'w'), openSync(this.path(`${file}.log`), 'w')]
    this.#running.set(file, spawn(program(name), args, { cwd: this.folder, env: this.#environment(), stdio: ['ignore', out, log] }))
  }

  /** What a program has printed so far. */
  out(file: string): string {
    return readFileSync(this.path(`${file}.out`), 'utf8')
  }

  /** Until something is so; a state, not a moment. */
  async until<T>(what: string, look: () => T | undefined | false): Promise<T> {
    const from = performance.now()
    for (;;) {
      const found = look()
      if (found !== undefined && found !== false) return found
      if (performance.now() - from > 120_000) throw new Error(`waited for ${what}\n${readFileSync(this.path('server.log'), 'utf8')}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  /** A server that serves nobody yet. */
  async server(): Promise<void> {
    const agents = `127.0.0.1:${await freePort()}`
    this.run('bartizan-server', ['init', '--dir', this.path('server'), '--address', agents, '--agent-listen', agents, '--operator-listen', '127.0.0.1:0'])
    writeFileSync(this.path('identity.json'), this.run('bartizan-server', ['identity', '--dir', this.path('server')]))
    this.start('server', 'bartizan-server', ['run', '--dir', this.path('server')])
    const ready = await this.until('the server', () => this.out('server').endsWith('\n') && this.out('server'))
    this.plane = (JSON.parse(ready) as { operator: string }).operator
  }

  /** A console that co-signs both logs, again and again. */
  witness(who: string): void {
    this.start(`witness-${who}`, 'bartizan', ['--home', this.path(who), 'witness', '--interval', '1s'])
  }

  /** Alice and Bob by the command line, with key files. */
  async organisation(): Promise<void> {
    await this.server()
    for (const [id, name] of [['alice', 'Alice Example'], ['bob', 'Bob Example']] as const) {
      this.tool(id, ['key', 'new', '--no-passphrase'])
      writeFileSync(this.path(`${id}.card`), this.tool(id, ['card', '--id', id, '--name', name]))
    }
    this.json('alice', ['init', '--id', 'alice', '--name', 'Alice Example', '--with', 'bob.card', '--server', 'identity.json', '--threshold', '2', '--out', 'genesis.json'])
    this.json('bob', ['init', '--countersign', 'genesis.json'])
    const { anchor } = this.json('alice', ['init', '--publish', 'genesis.json', '--server', this.plane])
    this.json('bob', ['join', '--anchor', String(anchor), '--server', this.plane])
    for (const who of ['alice', 'bob']) this.witness(who)
  }

  /** Installs an endpoint with the command that an enrolment gave, and starts it. */
  endpoint(name: string, command: string): void {
    this.run('bartizan-guard', [...command.trim().split(/\s+/).slice(1), '--dir', this.path(name)])
    this.start(name, 'bartizan-guard', ['run', '--dir', this.path(name)])
  }

  /** Starts a person's console; the link that opens one page. */
  async console(who: string, port?: number, more: string[] = []): Promise<string> {
    const chosen = port ?? (await freePort())
    this.start(`console-${who}`, 'bartizan', ['--home', this.path(who), ...more, '--json', 'console', '--no-open', '--port', String(chosen)])
    const line = await this.until(`the console of ${who}`, () => this.out(`console-${who}`).endsWith('\n') && this.out(`console-${who}`))
    return (JSON.parse(line.split('\n')[0] ?? '') as { link: string }).link
  }

  port(): Promise<number> {
    return freePort()
  }

  /** Ends a process that was started here. */
  async stop(file: string): Promise<void> {
    const child = this.#running.get(file)
    this.#running.delete(file)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    await new Promise((resolve) => {
      child.once('exit', resolve)
      child.kill('SIGKILL')
    })
  }

  async end(): Promise<void> {
    for (const file of [...this.#running.keys()].toReversed()) await this.stop(file)
    rmSync(this.folder, { recursive: true, force: true })
  }
}
