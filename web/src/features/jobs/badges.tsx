import { Badge, Dot, type Tone } from '~/ui/Badge'
import { Icon } from '~/ui/Icon'
import { Untrusted } from '~/ui/Untrusted'

const classes: Record<string, { tone: Tone; says: string }> = {
  observe: { tone: 'plain', says: 'looks, changes nothing' },
  routine: { tone: 'plain', says: 'everyday work: the author alone' },
  change: { tone: 'accent', says: 'a change: the author and one more person' },
  fleet: { tone: 'warn', says: 'many endpoints or destructive: more people, in stages' },
  update: { tone: 'warn', says: 'the endpoints’ own programs: root operators' },
}

export function ClassBadge({ name }: { name: string }) {
  const known = classes[name]
  return (
    <Badge tone={known?.tone ?? 'plain'} title={known?.says}>
      <Untrusted text={name} />
    </Badge>
  )
}

const states: Record<string, { tone: Tone; says: string }> = {
  pending: { tone: 'warn', says: 'waits for signatures' },
  active: { tone: 'accent', says: 'at work' },
  finished: { tone: 'ok', says: 'finished' },
  expired: { tone: 'plain', says: 'expired' },
  cancelled: { tone: 'plain', says: 'cancelled' },
  queued: { tone: 'plain', says: 'queued' },
  delivered: { tone: 'accent', says: 'delivered' },
  waiting: { tone: 'warn', says: 'waiting' },
  waits: { tone: 'warn', says: 'waits' },
  running: { tone: 'accent', says: 'running' },
  done: { tone: 'ok', says: 'done' },
  failed: { tone: 'bad', says: 'failed' },
  timed_out: { tone: 'bad', says: 'timed out' },
  interrupted: { tone: 'bad', says: 'interrupted' },
  refused: { tone: 'bad', says: 'refused' },
  standing: { tone: 'accent', says: 'standing' },
  ended: { tone: 'plain', says: 'ended' },
}

export function stateTone(state: string): Tone {
  return states[state]?.tone ?? 'plain'
}

export function stateWord(state: string): string {
  return states[state]?.says ?? state
}

export function State({ name }: { name: string }) {
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <Dot tone={stateTone(name)} />
      <Untrusted text={stateWord(name)} />
    </span>
  )
}

/** Whether the operator process has verified something itself. That others still have to sign is no fault. */
export function Verified({ by }: { by: { verified: boolean; problem?: string | null } }) {
  if (by.problem === 'sig.approvals_missing')
    return (
      <Badge title="What is there was verified on this computer; others still have to sign" tone="plain">
        <Icon name="clock" size={12} /> not signed by enough
      </Badge>
    )
  return by.verified ? (
    <Badge title="Verified on this computer, from signatures" tone="ok">
      <Icon name="check" size={12} /> verified
    </Badge>
  ) : (
    <Badge title={by.problem ?? undefined} tone="bad">
      <Icon name="alert" size={12} /> not verified
    </Badge>
  )
}
