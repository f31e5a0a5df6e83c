import type { PlannedStage } from '~/api/schema'
import { plural } from '~/lib/format'
import { duration } from '~/lib/time'
import { Icon } from '~/ui/Icon'
import { Untrusted } from '~/ui/Untrusted'

/** Waves in their order: "canary 3 → tenth 25, after 30 min → rest". */
export function Stages({ stages }: { stages: readonly PlannedStage[] }) {
  return (
    <ol className="flex flex-wrap items-center gap-x-1.5 gap-y-1">
      {stages.map((stage, at) => (
        <li className="inline-flex items-center gap-1.5" key={at}>
          {at > 0 && <Icon className="text-ink-3" name="chevron" size={12} />}
          <span className="rounded-sm border border-line bg-panel px-1.5 py-0.5">
            <b className="font-medium">
              <Untrusted text={stage.name} />
            </b>{' '}
            <span className="text-ink-2">{plural(stage.count, 'endpoint')}</span>
            {stage.soak_s > 0 && at > 0 && <span className="text-ink-3">, after {duration(stage.soak_s)}</span>}
          </span>
        </li>
      ))}
    </ol>
  )
}
