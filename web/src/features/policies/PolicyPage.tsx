import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'

import { problemOf } from '~/api/client'
import { policyQuery } from '~/api/policies'
import type { PolicyView } from '~/api/schema'
import { count } from '~/lib/format'
import { Button } from '~/ui/Button'
import { Card, PageBody, PageHead } from '~/ui/Layout'
import { Empty, ErrorBox, Loading } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Untrusted } from '~/ui/Untrusted'

import { EndpointName } from '../endpoint/EndpointName'
import { Verified } from '../jobs/badges'
import { useSigning } from '../sign/signing'
import { Signatures } from '../sign/Signatures'
import { PolicyState } from './PoliciesPage'

const route = getRouteApi('/shell/policies/$id')

/** One policy: what it says, who signed it, where it stands. */
export function PolicyPage() {
  const { id } = route.useParams()
  const policy = useQuery(policyQuery(id))
  if (policy.data) return <Shown view={policy.data} />
  return (
    <>
      <PageHead title="Policy" />
      <PageBody>{policy.error ? <ErrorBox problem={problemOf(policy.error)} retry={() => void policy.refetch()} /> : <Loading />}</PageBody>
    </>
  )
}

function Shown({ view }: { view: PolicyView }) {
  const { policy } = view
  const sign = useSigning()
  const queries = useQueryClient()
  const again = () => void queries.invalidateQueries({ queryKey: ['policies'] })
  const over = policy.state === 'over' || policy.state === 'replaced' || policy.state === 'withdrawn'
  return (
    <>
      <PageHead
        actions={
          <>
            <Button
              disabledReason={view.withdraw_disabled ?? (over && 'It stands nowhere any more.')}
              hint="Ends it for good, everywhere. One person is enough."
              icon="close"
              onClick={() => sign({ kind: 'policy_withdrawal', body: { id: policy.id, reason: '' } }, again)}
            >
              Take back
            </Button>
            <Link
              className="inline-flex h-7.5 items-center rounded-md border border-line-strong bg-raised px-2.5 hover:bg-hover"
              search={{ from: policy.id, tenant: policy.place.tenant ?? undefined, site: policy.place.site ?? undefined, endpoint: policy.place.endpoint ?? undefined }}
              to="/policies/write"
            >
              Write the next version
            </Link>
            {policy.state === 'pending' && (
              <Button disabledReason={view.approve_disabled} icon="check" look="primary" onClick={() => sign({ kind: 'policy_approval', body: { id: policy.id } }, again)}>
                Countersign
              </Button>
            )}
          </>
        }
        before={
          <Link className="hover:text-ink" to="/policies">
            Checks and policies
          </Link>
        }
        title={<Untrusted max={120} text={policy.name} />}
        under={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <span>version {policy.version}</span>
            <PolicyState name={policy.state} />
            <Verified by={policy.verification} />
            <Untrusted className="whitespace-normal!" max={200} text={policy.place.words} />
          </span>
        }
      />
      <PageBody>
        <Card title="What was signed">
          <pre aria-label="The policy in words" className="overflow-x-auto text-sm whitespace-pre-wrap break-words">
            <Untrusted multiline text={view.text} />
          </pre>
        </Card>
        <Card title="Who signed it">
          <Signatures list={view.signatures} />
        </Card>
        <Card flush title="Where it stands">
          {view.targets.length === 0 ? (
            <Empty icon="fleet" title="No endpoint of its place yet">
              Those that are enrolled there later get it by themselves.
            </Empty>
          ) : (
            <Table heads={[{ name: 'Endpoint' }, { name: 'State' }, { name: 'Code' }, { name: 'What to do' }]} label="Where the policy stands">
              {view.targets.map((target) => (
                <tr key={target.endpoint}>
                  <td>
                    <EndpointName hostname={target.hostname} id={target.endpoint} />
                  </td>
                  <td>{target.state}</td>
                  <td>{target.code && <code><Untrusted text={target.code} /></code>}</td>
                  <td className="break-words text-ink-2">{target.next}</td>
                </tr>
              ))}
            </Table>
          )}
          {view.targets_total > view.targets.length && <p className="px-4 py-2 text-ink-2">The first {count(view.targets.length)} of {count(view.targets_total)}; <code>bartizan policy show</code> prints all.</p>}
        </Card>
      </PageBody>
    </>
  )
}
