import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { problemOf } from '~/api/client'
import { policiesQuery } from '~/api/policies'
import { plural } from '~/lib/format'
import { useKeys } from '~/lib/keys'
import { Badge, type Tone } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Check } from '~/ui/Field'
import { Kbd } from '~/ui/Kbd'
import { Card, PageBody, PageHead } from '~/ui/Layout'
import { Empty, ErrorBox, Loading } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

import { Verified } from '../jobs/badges'
import { type PlaceGroup, byPlace, isInForce } from './places'

const tones: Record<string, Tone> = { active: 'ok', pending: 'warn', replaced: 'plain', withdrawn: 'plain', over: 'plain' }

export function PolicyState({ name }: { name: string }) {
  return (
    <Badge tone={tones[name] ?? 'plain'}>
      <Untrusted text={name === 'pending' ? 'waits for signatures' : name} />
    </Badge>
  )
}

/** What endpoints look at, and from when on that is bad. */
export function PoliciesPage() {
  const policies = useQuery(policiesQuery())
  const navigate = useNavigate()
  const [former, setFormer] = useState(false)
  const write = () => void navigate({ to: '/policies/write', search: {} })
  useKeys({ n: write })
  const all = policies.data?.policies ?? []
  const shown = former ? all : all.filter(isInForce)
  return (
    <>
      <PageHead
        actions={
          <>
            {all.some((policy) => !isInForce(policy)) && <Check checked={former} label="Former ones, too" onChange={(event) => setFormer(event.target.checked)} />}
            <Button icon="plus" look="primary" onClick={write}>
              Write a policy <Kbd keys="n" />
            </Button>
          </>
        }
        title="Checks and policies"
        under="Signed and logged like work. Endpoints judge by themselves, with the server up or down; the server can neither add a check nor change a threshold."
      />
      <PageBody>
        {policies.error && <ErrorBox problem={problemOf(policies.error)} retry={() => void policies.refetch()} />}
        {policies.isPending && <Loading />}
        {policies.data && shown.length === 0 && (
          <Empty
            action={
              <Button icon="plus" look="primary" onClick={write}>
                Begin with the default checks
              </Button>
            }
            icon="pulse"
            title="Nothing is looked at yet"
          >
            The default policy watches room and inodes on disks, memory, swap, processors, load, a restart that waits and packages that were not changed for long. You read it, change what you like, and sign it once.
          </Empty>
        )}
        {byPlace(shown).map((group) => (
          <Place group={group} key={group.key} />
        ))}
      </PageBody>
    </>
  )
}

const indents = ['', 'sm:ml-4', 'sm:ml-8', 'sm:ml-12'] as const

function Place({ group }: { group: PlaceGroup }) {
  const [first] = group.policies
  return (
    <Card
      actions={
        <Link className="text-accent underline" search={{ tenant: first?.place.tenant ?? undefined, site: first?.place.site ?? undefined, endpoint: first?.place.endpoint ?? undefined }} to="/policies/write">
          Add one here
        </Link>
      }
      className={indents[group.depth] ?? ''}
      flush
      title={
        <span className="[overflow-wrap:anywhere]">
          <Untrusted className="whitespace-normal! first-letter:uppercase" max={200} text={group.name} />
        </span>
      }
    >
      <Table heads={[{ name: 'Name' }, { name: 'Version' }, { name: 'Checks' }, { name: 'State' }, { name: 'Ends' }, { name: 'By its signatures' }]} label={`Policies of ${group.name}`}>
        {group.policies.map((policy) => (
          <tr key={policy.id}>
            <td className="break-words">
              <Link className="font-medium hover:text-accent" params={{ id: policy.id }} to="/policies/$id">
                <Untrusted max={100} text={policy.name} />
              </Link>{' '}
              <Untrusted className="whitespace-normal! text-ink-2" max={160} text={policy.title} />
            </td>
            <td className="tabular">{policy.version}</td>
            <td className="whitespace-nowrap">{plural(policy.checks, 'check')}</td>
            <td>
              <PolicyState name={policy.state} />
            </td>
            <td className="text-ink-2">
              <Time at={policy.until} />
            </td>
            <td>
              <Verified by={policy.verification} />
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  )
}
