import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'

import { problemOf } from '~/api/client'
import { ordersQuery } from '~/api/queries'
import type { OrderRow } from '~/api/schema'
import { plural } from '~/lib/format'
import { useKeys } from '~/lib/keys'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Kbd } from '~/ui/Kbd'
import { Card, PageBody, PageHead } from '~/ui/Layout'
import { Prose } from '~/ui/Prose'
import { Empty, ErrorBox, Loading } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

import { EndpointName } from '../endpoint/EndpointName'
import { ClassBadge, State, Verified } from '../jobs/badges'
import { useSigning } from '../sign/signing'

/** Jobs that endpoints keep and run again by themselves. */
export function OrdersPage() {
  const orders = useQuery(ordersQuery())
  const navigate = useNavigate()
  const write = () => void navigate({ to: '/run', search: { standing: true } })
  useKeys({ n: write })
  const list = orders.data?.orders ?? []
  return (
    <>
      <PageHead actions={<Button icon="plus" look="primary" onClick={write}>Write an order <Kbd keys="n" /></Button>} title="Standing orders" under="Signed once, kept by the endpoint, judged anew at every run, with the server up or down" />
      <PageBody>
        {orders.error && <ErrorBox problem={problemOf(orders.error)} retry={() => void orders.refetch()} />}
        {orders.isPending && <Loading />}
        {orders.data && list.length === 0 && (
            <Empty action={<Button icon="plus" look="primary" onClick={write}>Write the first</Button>} icon="repeat" title="No standing orders">
              Nightly clean-ups, a check each hour, a repair when a service is down. You say what starts it, and sign it once; every endpoint keeps it and runs it with the server up or down.
            </Empty>
        )}
        {list.map((order) => (
          <Order key={order.id} order={order} />
        ))}
      </PageBody>
    </>
  )
}

/** Of each order; the job's own page has all. */
const shown = 6

function Order({ order }: { order: OrderRow }) {
  const sign = useSigning()
  return (
    <Card
      actions={
        <Button disabledReason={order.withdrawn && 'It was taken back already.'} hint="Ends it for good, everywhere. One person is enough." icon="close" onClick={() => sign({ kind: 'withdrawal', body: { id: order.id, reason: '' } })} size="sm">
          Take back
        </Button>
      }
      flush
      title={
        <span className="flex flex-wrap items-center gap-2">
          <Link className="hover:text-accent" params={{ id: order.id }} search={{}} to="/jobs/$id">
            <Untrusted max={120} text={order.title} />
          </Link>
          <ClassBadge name={order.class} />
          {order.withdrawn && <Badge tone="warn">taken back</Badge>}
        </span>
      }
    >
      <p className="flex flex-wrap gap-x-4 gap-y-1 px-4 py-2.5 text-ink-2">
        <span className="font-medium text-ink">
          <Prose text={order.starts} />
        </span>
        <span>
          ends <Time at={order.until} />
        </span>
        {order.upcoming != null && (
          <span>
            next <Time at={order.upcoming} />
          </span>
        )}
        <span>{plural(order.targets, 'endpoint')}</span>
      </p>
      {order.endpoints.length > 0 && (
        <div className="border-t border-line">
          <Table heads={[{ name: 'Endpoint' }, { name: 'Stands' }, { name: 'Last run' }, { name: 'Result' }, { name: 'Exit' }]} label={`Endpoints of ${order.title}`}>
            {order.endpoints.slice(0, shown).map((target) => (
              <tr key={target.endpoint}>
                <td>
                  <EndpointName hostname={target.hostname} id={target.endpoint} />
                </td>
                <td>
                  <Untrusted text={target.state} />
                </td>
                <LastRun last={target.last} />
              </tr>
            ))}
          </Table>
          {order.endpoints.length > shown && (
            <p className="px-4 py-2 text-sm">
              <Link className="text-accent underline" params={{ id: order.id }} search={{ tab: 'endpoints' }} to="/jobs/$id">
                All {plural(order.targets, 'endpoint')}
              </Link>
            </p>
          )}
        </div>
      )}
    </Card>
  )
}

/** When, how, and by whose word: of an endpoint's own newest receipt. */
function LastRun({ last }: { last: OrderRow['endpoints'][number]['last'] }) {
  if (!last) {
    return (
      <td className="text-ink-3" colSpan={3}>
        none yet
      </td>
    )
  }
  return (
    <>
      <td>
        <Time at={last.at} />
      </td>
      <td className="min-w-40">
        <span className="flex flex-wrap items-center gap-x-2">
          <State name={last.decision} />
          {last.code !== 'ok' && <code><Untrusted text={last.code} /></code>}
          {!last.verification.verified && <Verified by={last.verification} />}
        </span>
        {last.next && <span className="text-sm text-ink-2"><Prose text={last.next} /></span>}
      </td>
      <td className="tabular">{last.exit}</td>
    </>
  )
}
