import { type ReactNode, Suspense, lazy, useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi, useNavigate } from '@tanstack/react-router'

import { problemOf } from '~/api/client'
import { inboxQuery } from '~/api/queries'
import type { InboxItem } from '~/api/schema'
import { plural, shortId } from '~/lib/format'
import { useKeys } from '~/lib/keys'
import { visibleText } from '~/lib/visible'
import { useWishes } from '~/lib/wishes'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { cx } from '~/ui/cx'
import { Kbd } from '~/ui/Kbd'
import { Facts, PageHead } from '~/ui/Layout'
import { Prose } from '~/ui/Prose'
import { Empty, ErrorBox, Loading, Notice } from '~/ui/States'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

import { ClassBadge, Verified } from '../jobs/badges'
import { Signatures, SignedByLine } from '../sign/Signatures'
import { useSigning } from '../sign/signing'
import { largestBatch, whyNot } from './batch'

// Not wanted with every visit.
const BatchSheet = lazy(() => import('./BatchSheet').then((module) => ({ default: module.BatchSheet })))
const route = getRouteApi('/shell/approvals')

/** What waits for another signature. */
export function ApprovalsPage() {
  const { id } = route.useSearch()
  const navigate = useNavigate({ from: '/approvals' })
  const sign = useSigning()
  const inbox = useQuery(inboxQuery())
  const items = inbox.data?.items ?? []
  const mine = items.filter((item) => !item.disabled)
  const others = items.filter((item) => item.disabled)
  const ordered = [...mine, ...others]
  const at = Math.max(0, ordered.findIndex((item) => item.id === id))
  const item = ordered[at]
  const show = (next: InboxItem | undefined) => next && void navigate({ search: { id: next.id }, replace: true })
  const approve = () => item && !item.disabled && sign({ kind: 'approval', body: { id: item.id } })
  const step = (by: number) => show(ordered[Math.max(0, Math.min(ordered.length - 1, at + by))])
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set())
  const [batch, setBatch] = useState<readonly InboxItem[]>()
  const chosen = mine.filter((one) => ids.has(one.id))
  const toggle = (one: InboxItem | undefined) => {
    if (!one || (!ids.has(one.id) && whyNot(one, chosen))) return
    setIds(new Set(ids.has(one.id) ? [...ids].filter((id) => id !== one.id) : [...ids, one.id]))
  }
  const together = () => chosen.length > 1 && setBatch(chosen)
  useWishes({ 'approve together': () => setBatch(largestBatch(mine)) }, inbox.data !== undefined)
  useKeys({ x: () => toggle(item), b: together, j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1), a: approve, Enter: approve })
  return (
    <>
      <PageHead
        title="Approvals"
        under={inbox.data ? (items.length === 0 ? 'Nothing waits for a signature' : `${plural(mine.length, 'statement')} for you, ${others.length} for others`) : 'Looking'}
      />
      {inbox.error && (
        <div className="p-4">
          <ErrorBox problem={problemOf(inbox.error)} retry={() => void inbox.refetch()} />
        </div>
      )}
      {inbox.data !== undefined && inbox.data.left_off > 0 && (
        <div className="px-4 pt-4 lg:px-6">
          <Notice icon="alert" tone="warn">
            {plural(inbox.data.left_off, 'older job')} wait, too, and are not looked into here: there are too many. <Link className="underline" search={{ state: 'pending' }} to="/jobs">All that wait</Link>
          </Notice>
        </div>
      )}
      {inbox.isPending && (
        <div className="p-6">
          <Loading />
        </div>
      )}
      {inbox.data && items.length === 0 && (
        <Empty icon="inbox" title="Nothing to countersign">
          Work of class <code>change</code> and <code>fleet</code> comes here until one more person than its author has signed. So do bundles, thaws and long freezes.
        </Empty>
      )}
      {item && (
        <div className="flex min-h-0 flex-1 flex-col md:flex-row">
          <div className="max-h-64 shrink-0 overflow-y-auto border-b border-line bg-panel md:max-h-none md:w-80 md:border-r md:border-b-0 xl:w-100">
            <Group chosen={item.id} items={mine} name="For you" onChoose={show} ticks={{ ids, whyNot: (one) => whyNot(one, chosen), toggle }} />
            <Group chosen={item.id} items={others} name="For others" onChoose={show} />
            {mine.length > 1 && (
              <div className="sticky bottom-0 flex flex-wrap items-center gap-2 border-t border-line bg-panel px-4 py-2 lg:px-6">
                <span aria-live="polite" className="tabular flex-1 text-ink-2">
                  {chosen.length} chosen
                </span>
                <Button disabledReason={chosen.length < 2 && 'Tick two or more of one kind, or press x.'} hint="Each is read, compared and signed by itself" onClick={together}>
                  Approve together <Kbd keys="b" />
                </Button>
              </div>
            )}
          </div>
          <Detail item={item} onApprove={approve} />
        </div>
      )}
      {batch && (
        <Suspense>
          <BatchSheet
            items={batch}
            onClose={() => {
              setBatch(undefined)
              setIds(new Set())
            }}
          />
        </Suspense>
      )}
    </>
  )
}

type Ticks = { ids: ReadonlySet<string>; whyNot: (item: InboxItem) => string | undefined; toggle: (item: InboxItem) => void }

function Group({ name, items, chosen, onChoose, ticks }: { name: string; items: InboxItem[]; chosen: string; onChoose: (item: InboxItem) => void; ticks?: Ticks }) {
  if (items.length === 0) return null
  return (
    <section aria-label={name}>
      <h2 className="label sticky top-0 border-b border-line bg-panel px-4 py-1.5 lg:px-6">{name}</h2>
      <ul>
        {items.map((item) => (
          <li className={cx('flex border-b border-line/60', item.id === chosen ? 'bg-selected' : 'hover:bg-hover')} key={item.id}>
            {ticks && items.length > 1 && (
              <label className="flex items-start pt-3.5 pl-4 lg:pl-6" title={ticks.whyNot(item)}>
                <span className="sr-only">
                  Choose {visibleText(item.title)}
                  {ticks.whyNot(item) && `: ${ticks.whyNot(item)}`}
                </span>
                <input
                  aria-disabled={!ticks.ids.has(item.id) && ticks.whyNot(item) ? true : undefined}
                  checked={ticks.ids.has(item.id)}
                  className="size-3.5 accent-accent aria-disabled:opacity-50"
                  onChange={() => ticks.toggle(item)}
                  type="checkbox"
                />
              </label>
            )}
            <button
              aria-current={item.id === chosen ? 'true' : undefined}
              className={cx('block min-w-0 flex-1 px-4 py-2.5 text-left lg:pr-6', !(ticks && items.length > 1) && 'lg:pl-6')}
              onClick={() => onChoose(item)}
              type="button"
            >
              <span className="flex items-center gap-2">
                <span className="min-w-0 flex-1 truncate font-medium">
                  <Untrusted max={160} text={item.title} />
                </span>
                {item.class ? <ClassBadge name={item.class} /> : <Badge>{item.kind}</Badge>}
              </span>
              <span className="mt-0.5 flex gap-2 text-sm text-ink-2">
                <span className="min-w-0 flex-1 truncate">
                  <SignedByLine list={item.signatures} />
                  {item.endpoints != null && <> · {plural(item.endpoints, 'endpoint')}</>}
                  {item.tenant && (
                    <>
                      {' '}
                      of <Untrusted text={item.tenant} />
                    </>
                  )}
                </span>
                <Time at={item.at} />
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Detail({ item, onApprove }: { item: InboxItem; onApprove: () => void }) {
  const isJob = item.kind === 'job'
  return (
    <div className="min-w-0 flex-1 overflow-y-auto">
      <article className="mx-auto flex max-w-200 flex-col gap-4 p-4 lg:p-6">
        <div className="flex flex-wrap items-start gap-3">
          <div className="min-w-0 flex-1 basis-60">
            <h2 className="text-xl font-semibold break-words">
              <Prose text={item.title} />
            </h2>
            <p className="mt-1 flex flex-wrap items-center gap-2 text-ink-2">
              <Badge>{item.kind}</Badge>
              {item.class && <ClassBadge name={item.class} />}
              <Verified by={item.verification} />
              <code className="text-ink-3" title={item.id}>{shortId(item.id)}</code>
            </p>
          </div>
          <Button disabledReason={item.disabled} icon="key" look="primary" onClick={onApprove} size="lg">
            Read and approve <Kbd keys="a" />
          </Button>
        </div>
        {item.disabled && (
          <Notice>
            <Prose text={item.disabled} />
          </Notice>
        )}
        {!item.verification.verified && (
          <Notice icon="alert" tone="bad">
            <Prose text={item.verification.problem ?? 'This does not verify.'} /> Do not sign it; tell the other operators.
          </Notice>
        )}
        <Facts
          rows={[
            ...(item.endpoints != null ? [['Where', <span key="where">{plural(item.endpoints, 'endpoint')}{item.tenant && <> of <Untrusted text={item.tenant} /></>}</span>] as [string, ReactNode]] : []),
            ['Made', <Time absolute at={item.at} key="made" />],
            ...(item.until != null ? [['Until', <span key="until"><Time absolute at={item.until} /> (<Time at={item.until} />)</span>] as [string, ReactNode]] : []),
            ['Still needed', <Prose key="who" text={item.who_else} />],
            ['Signed by', <Signatures key="signed" list={item.signatures} />],
          ]}
        />
        <p className="text-ink-2">
          The sheet shows the whole statement as your own <code>bartizan</code> reads it from the bytes, what differs from the last of its kind, and eight words to compare with its author.
          {isJob && (
            <>
              {' '}
              <Link className="text-accent underline" params={{ id: item.id }} search={{}} to="/jobs/$id">
                Look at the job
              </Link>
            </>
          )}
        </p>
      </article>
    </div>
  )
}
