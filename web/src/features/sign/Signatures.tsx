import type { SignedBy } from '~/api/schema'
import { Badge } from '~/ui/Badge'
import { Icon } from '~/ui/Icon'
import { Untrusted } from '~/ui/Untrusted'

/** Who signed, as what, and whether it counts; judged by the operator process. */
export function Signatures({ list }: { list: readonly SignedBy[] }) {
  if (list.length === 0) return <p className="text-ink-3">Nobody yet.</p>
  return (
    <ul className="flex flex-col gap-1">
      {list.map((one) => (
        <li className="flex flex-wrap items-center gap-x-2 gap-y-0.5" key={`${one.fingerprint} ${one.role}`}>
          <Icon className={one.verification.verified ? 'text-ok' : 'text-bad'} name={one.verification.verified ? 'check' : 'alert'} />
          <span className="font-medium">
            <Untrusted text={one.name ?? one.operator ?? 'A key that no bundle names'} />
          </span>
          <Badge>{one.role}</Badge>
          <code className="min-w-0 truncate text-xs text-ink-3">{one.fingerprint}</code>
          {!one.verification.verified && (
            <span className="text-bad">
              does not count: <Untrusted text={one.verification.problem ?? 'not verified'} />
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}

/** The same in a line. */
export function SignedByLine({ list }: { list: readonly SignedBy[] }) {
  const names = list.map((one) => one.name ?? one.operator ?? one.fingerprint)
  return names.length === 0 ? <span className="text-ink-3">nobody</span> : <Untrusted text={names.join(', ')} />
}
