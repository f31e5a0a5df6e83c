import type { Job, World } from './world'

/** That jobs moved. */
export function tellJobs(world: World): void {
  const of = (state: string) => world.jobs.filter((job) => job.row.state === state).length
  world.news.tell('all', { kind: 'jobs', pending: of('pending'), active: of('active'), log_size: world.jobs.length })
}

/** That the control log, or what waits for it, moved. */
export function tellControl(world: World): void {
  world.news.tell('all', { kind: 'control', size: world.control.length, drafts: world.drafts.length })
}

/** Lets a job run: a few endpoints a beat, until all have ended or it is taken back. */
export function runJob(world: World, job: Job): void {
  job.row = { ...job.row, state: 'active' }
  tellJobs(world)
  const due = job.targets.filter((target) => target.stage <= job.promoted && target.state !== 'done' && world.byId.get(target.endpoint)?.state === 'connected')
  const step = Math.max(1, Math.ceil(due.length / 6))
  let at = 0
  const beat = () => {
    if (job.withdrawn || world.freezes.some((freeze) => freeze.scope === 'org' || freeze.scope === `job:${job.row.id}`)) return
    for (const target of due.slice(at, at + step)) {
      target.state = 'done'
      target.exit = 0
      target.t1 = world.now()
      world.news.tell(job.row.id, { kind: 'output', endpoint: target.endpoint, stream: 1, text: 'ok: \u001b[32mdone\u001b[0m\n' })
      world.news.tell(job.row.id, { kind: 'target', endpoint: target.endpoint, state: 'done', exit: 0 })
    }
    at += step
    if (at < due.length) {
      setTimeout(beat, 400)
      return
    }
    if (job.targets.every((target) => target.state === 'done')) job.row = { ...job.row, state: 'finished' }
    world.news.tell(job.row.id, { kind: 'ended', state: job.row.state })
    tellJobs(world)
  }
  setTimeout(beat, 400)
}
