import type { JobRow, JobView, Reason, RolloutView, StageRow, TargetRow } from '~/api/schema'

import { grouped } from './grouped'
import type { Job, World } from './world'

const advice: Record<string, string> = {
  'exec.exit_status': 'read the end of its output; sign it again when it is fixed',
  'rate.limited': 'wait; the class allows only so many jobs an hour',
  'stage.not_promoted': 'it waits for its stage: promote when the one before went well',
  'window.expired': 'sign the job again with a new window',
}

/** As it reported it. */
export function hostnameOf(world: World, endpoint: string): { hostname?: string } {
  const hostname = world.byId.get(endpoint)?.hostname
  return hostname === undefined ? {} : { hostname }
}

/** A job in a list, with how it stands. */
export function rowOf(job: Job): JobRow {
  const states = grouped(job.targets, (target) => target.state)
  const author = job.signatures[0]?.name
  return { ...job.row, tenant: job.tenant, ...(author ? { author } : {}), counts: [...states].map(([state, targets]) => ({ state, count: targets.length })) }
}

export function targetsOf(world: World, job: Job): TargetRow[] {
  return job.targets.map((target) => ({
    endpoint: target.endpoint,
    ...hostnameOf(world, target.endpoint),
    stage: target.stage,
    state: target.state,
    ...(target.code ? { code: target.code, next: advice[target.code] ?? null } : {}),
    ...(target.exit === undefined ? {} : { exit: target.exit }),
  }))
}

export function jobText(job: Job): string {
  const script = job.script.trimEnd().split('\n').map((line) => `  │ ${line}`).join('\n')
  const stages = job.stages.length > 1 ? job.stages.map((stage, at) => `stage   ${stage.name}: ${stage.count} endpoint(s), after a soak of ${stage.soak_s} s, ${at === 0 ? 0 : 1} must promote, at most 10 % failures\n`).join('') : ''
  return `JOB     ${job.row.title}\nclass   ${job.row.class}${job.destructive ? ', DESTRUCTIVE' : ''}\nwhere   ${job.row.targets} endpoint(s) of tenant ${job.tenant}\nwhen    until ${new Date((job.row.at + 86_400) * 1000).toISOString().replace('.000Z', 'Z')}\nwhat    ${job.interpreter} script, ${job.script.length} bytes, sha256 5f1c…\nlimits  600 s, 65536 bytes of output\n${stages}script\n${script}\nid      ${job.row.id}\nwords   ${job.words}\n`
}

export function jobView(world: World, job: Job): JobView {
  const states = grouped(job.targets, (target) => target.state)
  const approvals = job.signatures.filter((one) => one.role === 'approve').length
  return {
    row: rowOf(job), verification: { verified: true }, text: jobText(job), words: job.words, tenant: job.tenant, signatures: job.signatures,
    approvals, approvals_needed: job.needed, who_else: approvals < job.needed ? '1 more person must approve it, not its author' : 'nobody else',
    lacks_customer: false,
    script: { interpreter: job.interpreter, text: job.script, sha256: world.random.hex(32), args: [], env: [], timeout_s: 600, destructive: job.destructive },
    begins: job.row.at, ends: job.row.at + 86_400, ticket: job.ticket, reason: job.reason,
    counts: [...states].map(([state, targets]) => ({ state, count: targets.length })),
    witnessed: true, log_index: job.logIndex, staged: job.stages.length > 1, ...(job.starts ? { starts: job.starts } : {}), withdrawn: job.withdrawn,
  }
}

export function rolloutOf(world: World, job: Job): RolloutView {
  const stages = job.stages.map((stage, at): StageRow => {
    const members = job.targets.filter((target) => target.stage === at)
    const of = (state: string) => members.filter((target) => target.state === state).length
    const reasons: Reason[] = members
      .filter((target) => target.code && target.state !== 'queued')
      .slice(0, 50)
      .map((target) => ({ endpoint: target.endpoint, ...hostnameOf(world, target.endpoint), state: target.state === 'waiting' ? 'waits' : target.state, code: target.code ?? '', next: advice[target.code ?? ''] ?? null }))
    return {
      stage: at, name: stage.name, count: stage.count, soak_s: stage.soak_s, promoters: at === 0 ? 0 : 1, failures_percent_max: 10, may_run: job.row.state !== 'pending' && at <= Math.max(job.promoted, job.stages.length > 2 && job.row.state === 'active' ? 1 : 0),
      queued: of('queued'), delivered: of('delivered'), waits: of('waiting'), running: of('running'), done: of('done'), failed: of('failed'), refused: of('refused'), reasons,
    }
  })
  const base = { job: job.row.id, title: job.row.title, class: job.row.class, state: job.row.state, stages, soak_left_s: 0 }
  if (job.stages.length === 1) return { ...base, next: 'nothing', next_text: 'Every endpoint may run it.' }
  const next = job.stages[job.promoted + 1]
  if (!next) return { ...base, next: 'nothing', next_text: 'Every stage may run.' }
  const before = stages[job.promoted]
  const failed = before?.failed ?? 0
  if (before && failed * 100 > 10 * before.count) {
    return { ...base, next: 'halted_failures', next_text: `Halted: ${failed} of ${before.count} endpoints of stage ${before.name} failed, and at most 10 % may.`, promote_disabled: 'More failed than the job allows, and nothing overrides that: it was signed with the job. Find out what failed, then sign a new job.' }
  }
  if (before && before.refused > 0) {
    return { ...base, next: 'halted_refusals', next_text: `Halted: ${before.refused} of ${before.count} endpoints of stage ${before.name} refused it. Somebody can go on and say why.` }
  }
  if (!before || before.done + before.failed < before.count / 2) {
    return { ...base, next: 'too_early', next_text: `Stage ${next.name} can begin when more of ${before?.name ?? ''} has ended well.`, promote_disabled: 'Too few endpoints have ended yet.' }
  }
  return { ...base, next: 'ready', next_text: `${before.name} went well: ${before.done} done, ${failed} failed. Stage ${next.name} can begin.` }
}
