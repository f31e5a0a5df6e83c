import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
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

/** Files that a program finds in place of the kernel's. */
export type Facts = Record<string, string>

/** Real programs in a folder of their own: a server, witnesses, endpoints, and a console for each person. */
export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), 'bartizan-console-'))
  readonly #running = new Map<string, ChildProcess>()
  plane = ''
  anchor = ''

  path(name: string): string {
    return join(this.folder, name)
  }

  #environment(): NodeJS.ProcessEnv {
    const { SSH_AUTH_SOCK: _, BARTIZAN_HOME: __, BARTIZAN_PASSPHRASE_FILE: ___, ...rest } = process.env
    return { ...rest, BARTIZAN_LAN: 'off' }
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text)
  }

  /** Runs a program to its end; what it printed. */
  run(name: string, args: string[], more: NodeJS.ProcessEnv = {}): string {
    return execFileSync(program(name), args, { cwd: this.folder, env: { ...this.#environment(), ...more }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** `bartizan …` of a person, without questions. */
  tool(who: string, args: string[]): string {
    return this.run('bartizan', ['--home', this.path(who), ...args, '--yes'])
  }

  json(who: string, args: string[]): Record<string, unknown> {
    const lines = this.run('bartizan', ['--home', this.path(who), ...args, '--yes', '--json'], this.#passphrase()).trim().split('\n')
    return JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown>
  }

  /** The passphrase of the sheets of paper, where there are any. */
  #passphrase(): NodeJS.ProcessEnv {
    return existsSync(this.path('phrase')) ? { BARTIZAN_PASSPHRASE_FILE: this.path('phrase') } : {}
  }

  start(file: string, name: string, args: string[]): void {
    this.#spawn(file, program(name), args)
  }

  #spawn(file: string, path: string, args: string[]): void {
    const [out, log] = [openSync(this.path(`${file}.out`), 'w'), openSync(this.path(`${file}.log`), 'w')]
    this.#running.set(file, spawn(path, args, { cwd: this.folder, env: this.#environment(), stdio: ['ignore', out, log] }))
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

  /** A person with a key in a file, and a card; its words, as they are read aloud. */
  person(id: string, name: string): string {
    this.tool(id, ['key', 'new', '--no-passphrase'])
    const made = spawnSync(program('bartizan'), ['--home', this.path(id), 'card', '--id', id, '--name', name, '--yes'], { cwd: this.folder, env: this.#environment(), encoding: 'utf8' })
    this.write(`${id}.card`, made.stdout)
    const words = /^words\s+(.+)$/m.exec(made.stderr)?.[1]
    if (!words) throw new Error(`the card of ${id} has no words: ${made.stderr}`)
    return words.trim()
  }

  /** Alice and Bob by the command line, with key files and a recovery key on paper. */
  async organisation(): Promise<void> {
    await this.server()
    for (const [id, name] of [['alice', 'Alice Example'], ['bob', 'Bob Example']] as const) this.person(id, name)
    this.write('phrase', 'five random words of ours\n')
    this.json('alice', ['recovery', 'new', '--dir', 'paper'])
    const recovery = ['--recovery', 'paper/recovery.json', '--recovery-delay', '1h']
    this.json('alice', ['init', '--id', 'alice', '--name', 'Alice Example', '--with', 'bob.card', '--server', 'identity.json', '--threshold', '2', ...recovery, '--out', 'genesis.json'])
    this.json('bob', ['init', '--countersign', 'genesis.json'])
    const { anchor } = this.json('alice', ['init', '--publish', 'genesis.json', '--server', this.plane])
    this.anchor = String(anchor)
    this.json('bob', ['join', '--anchor', this.anchor, '--server', this.plane])
    for (const who of ['alice', 'bob']) this.witness(who)
  }

  /** Installs an endpoint with the command that an enrolment gave, and starts it. */
  endpoint(name: string, command: string, facts: Facts = {}): void {
    this.#guard(name, [...command.trim().split(/\s+/).slice(1), '--dir', this.path(name)], facts)
    this.resume(name, facts)
  }

  /** Starts an endpoint that was stopped. */
  resume(name: string, facts: Facts = {}): void {
    const { file, args } = this.#among(facts, program('bartizan-guard'), ['run', '--dir', this.path(name)])
    this.#spawn(name, file, args)
  }

  #guard(name: string, args: string[], facts: Facts): void {
    for (const [at, text] of Object.values(facts).entries()) writeFileSync(this.path(`${name}.fact-${at}`), text)
    const inside = this.#among(facts, program('bartizan-guard'), args)
    execFileSync(inside.file, inside.args, { cwd: this.folder, env: this.#environment(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** A program that reads other facts about its machine than there are: the files lie over the kernel's, for it alone. */
  #among(facts: Facts, file: string, args: string[]): { file: string; args: string[] } {
    const places = Object.keys(facts)
    if (places.length === 0) return { file, args }
    const name = args[args.indexOf('--dir') + 1] ?? ''
    const mounts = places.map((place, at) => `mount --bind '${name}.fact-${at}' '${place}'`).join(' && ')
    return { file: 'unshare', args: ['--mount', 'sh', '-c', `${mounts} && exec "$0" "$@"`, file, ...args] }
  }

  /** What the endpoint itself believes. */
  status(name: string): { bundle: number; endpoint: string; control_log: number } {
    return JSON.parse(this.run('bartizan-guard', ['status', '--dir', this.path(name)])) as { bundle: number; endpoint: string; control_log: number }
  }

  /** Whoever owns the server writes into its database; what it printed comes back. */
  database(script: string): string {
    const whole = `import sqlite3\ndb = sqlite3.connect('server/server.db', timeout=30, isolation_level=None)\n${script}`
    return execFileSync('python3', ['-c', whole], { cwd: this.folder, encoding: 'utf8' }).trim()
  }

  /** The command that enrols endpoints. */
  enrolment(): string {
    return String(this.json('alice', ['enroll', '--tenant', 'acme', '--site', 'hq']).command)
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
