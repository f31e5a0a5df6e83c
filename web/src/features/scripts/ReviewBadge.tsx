import { Link } from '@tanstack/react-router'

import type { ScriptReview, ScriptVersion } from '~/api/schema'
import { listed } from '~/lib/format'
import { Badge } from '~/ui/Badge'
import { Icon } from '~/ui/Icon'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

/** Whether the jobs log shows that more than one person has signed this text. */
export function ReviewBadge({ version, known }: { version: ScriptVersion | undefined; known: boolean }) {
  if (!version) return null
  if (!known) return <Badge title="The server is away, or its log does not verify">unknown</Badge>
  const newest = version.reviews[0]
  return newest ? (
    <Badge title={`Signed by ${listed(newest.people)}, by the jobs log`} tone="ok">
      <Icon name="check" size={12} /> reviewed
    </Badge>
  ) : (
    <Badge title="No job in the log has this text and the signatures of two people">new</Badge>
  )
}

/** Who signed it, in which form, and where the log shows it. */
export function ReviewLine({ review }: { review: ScriptReview }) {
  const form = [
    review.interpreter,
    review.run_as ? `as ${review.run_as}` : 'as root',
    review.args.length > 0 ? `with ${review.args.join(' ')}` : undefined,
    review.env.length > 0 ? review.env.join(' ') : undefined,
    review.destructive ? 'called destructive' : undefined,
  ].filter(Boolean)
  return (
    <span className="inline-flex flex-wrap gap-x-1.5">
      <Untrusted text={listed(review.people)} /> <Time at={review.at} />
      <span className="text-ink-3">
        <Untrusted className="whitespace-normal!" max={200} text={form.join(', ')} />
      </span>
      <Link className="text-accent underline" search={{ log: 'jobs', index: review.log_index }} to="/log">
        entry {review.log_index}
      </Link>
    </span>
  )
}
