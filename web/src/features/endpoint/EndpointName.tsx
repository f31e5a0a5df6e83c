import { Link } from '@tanstack/react-router'

import { shortId } from '~/lib/format'
import { Untrusted } from '~/ui/Untrusted'

/** An endpoint in a table: its name as it reported it, or its id. */
export function EndpointName({ id, hostname }: { id: string; hostname?: string | null | undefined }) {
  return (
    <Link className="inline-flex max-w-72 items-baseline gap-2 hover:text-accent" params={{ id }} search={{}} title={id} to="/endpoints/$id">
      {hostname ? (
        <span className="truncate font-medium">
          <Untrusted max={80} text={hostname} />
        </span>
      ) : (
        <code>{shortId(id)}</code>
      )}
    </Link>
  )
}
