import { Link } from '@tanstack/react-router'

import type { AlertItem } from '~/api/schema'
import { Badge, Dot, type Tone } from '~/ui/Badge'
import { Untrusted } from '~/ui/Untrusted'

const tones: Record<AlertItem['severity'], Tone> = { warning: 'warn', error: 'bad', critical: 'bad' }

export function Severity({ of }: { of: AlertItem['severity'] }) {
  return <Badge tone={tones[of]}>{of}</Badge>
}

const states: Record<string, { tone: Tone; says: string }> = {
  open: { tone: 'bad', says: 'open' },
  acknowledged: { tone: 'accent', says: 'acknowledged' },
  resolved: { tone: 'ok', says: 'resolved' },
  waiting: { tone: 'plain', says: 'may be over soon' },
}

export function AlertStateName({ alert }: { alert: AlertItem }) {
  const known = states[alert.state]
  return (
    <span className="inline-flex min-w-0 items-center gap-1.5 whitespace-nowrap">
      <Dot tone={known?.tone ?? 'plain'} />
      <Untrusted text={known?.says ?? alert.state} />
      {alert.acknowledged && (
        <span className="truncate text-ink-3">
          by <Untrusted max={60} text={alert.acknowledged.name} />
        </span>
      )}
    </span>
  )
}

const builtIn: Record<string, string> = {
  link: 'link',
  'site.link': 'links of a site',
  'server.network': 'the server’s network',
  'alerts.flood': 'too many alerts',
}

/** Which check, and of what. */
export function CheckName({ alert }: { alert: Pick<AlertItem, 'check' | 'instance'> }) {
  return (
    <>
      <Untrusted max={80} text={builtIn[alert.check] ?? alert.check} />
      {alert.instance && (
        <span className="text-ink-2">
          {' '}
          <Untrusted max={130} text={alert.instance} />
        </span>
      )}
    </>
  )
}

/** Whose it is: its endpoint, else its site, else the server. */
export function Where({ alert, link = false }: { alert: AlertItem; link?: boolean }) {
  const name = alert.endpoint ? <Untrusted max={80} text={alert.hostname || alert.endpoint} /> : undefined
  return (
    <span className="truncate">
      {name &&
        (link && alert.endpoint ? (
          <Link className="hover:text-accent" params={{ id: alert.endpoint }} search={{}} to="/endpoints/$id">
            {name}
          </Link>
        ) : (
          name
        ))}
      {(alert.tenant || alert.site) && (
        <span className={name ? 'text-ink-3' : ''}>
          {name && ' · '}
          <Untrusted text={[alert.tenant, alert.site].filter(Boolean).join(' / ')} />
        </span>
      )}
      {!name && !alert.tenant && !alert.site && 'this server'}
    </span>
  )
}
