import { useNow } from '~/lib/now'
import { exact, relative, utc } from '~/lib/time'

/** How long ago; the exact moment is in the title. */
export function Time({ at, absolute = false }: { at: number; absolute?: boolean }) {
  const now = useNow()
  return (
    <time className="tabular whitespace-nowrap" dateTime={utc(at)} title={absolute ? utc(at) : `${exact(at)} (${utc(at)})`}>
      {absolute ? exact(at) : relative(at, now)}
    </time>
  )
}
