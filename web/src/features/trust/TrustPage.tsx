import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'

import { problemOf } from '~/api/client'
import { historyQuery, trustQuery } from '~/api/queries'
import type { BundleRow, PendingBundle, Person, Trust } from '~/api/schema'
import { count, listed, plural } from '~/lib/format'
import { duration } from '~/lib/time'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Command } from '~/ui/Copy'
import { Icon } from '~/ui/Icon'
import { Card, Facts, PageBody, PageHead } from '~/ui/Layout'
import { Prose } from '~/ui/Prose'
import { ErrorBox, Loading, Notice } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Tabs } from '~/ui/Tabs'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'
import { Words } from '~/ui/Words'

import { DifferenceLines } from '../sign/DifferenceView'
import { Signatures } from '../sign/Signatures'
import { useSigning } from '../sign/signing'

import { useAddingPerson } from '../people/adding'
import { tabs } from './search'

const route = getRouteApi('/shell/trust')

/** Who may do what, verified from the anchor. */
export function TrustPage() {
  const { tab = 'people' } = route.useSearch()
  const trust = useQuery(trustQuery())
  const add = useAddingPerson()
  const bundle = trust.data
  return (
    <>
      <PageHead
        actions={
          <Button disabledReason={!bundle && 'The bundle is not verified yet.'} icon="plus" onClick={add}>
            Add a person
          </Button>
        }
        tabs={<Tabs label="Trust" tabs={tabs.map((name) => ({ name, current: name === tab, link: <Link search={{ tab: name }} to="/trust" /> }))} />}
        title="Trust"
        under={bundle && <>Bundle version {bundle.version}, in force; ends <Time at={bundle.expires} />; {plural(bundle.root_threshold, 'root operator')} change it</>}
      />
      <PageBody>
        {trust.error && <ErrorBox problem={problemOf(trust.error)} retry={() => void trust.refetch()} />}
        {trust.isPending && <Loading />}
        {bundle?.pending.map((one) => (
          <Pending key={one.id} pending={one} />
        ))}
        {bundle && tab === 'people' && <People bundle={bundle} />}
        {bundle && tab === 'classes' && <Classes bundle={bundle} />}
        {bundle && tab === 'bundle' && <Rest bundle={bundle} />}
        {tab === 'history' && <History />}
      </PageBody>
    </>
  )
}

function Pending({ pending }: { pending: PendingBundle }) {
  const sign = useSigning()
  return (
    <Notice icon="clock" tone="warn">
      <div className="flex flex-wrap items-start gap-3">
        <div className="min-w-0 flex-1 basis-60">
          <p className="font-medium">
            Bundle version {pending.version} weakens something, and acts <Time at={pending.due} /> (<Time absolute at={pending.due} />)
          </p>
          <p className="text-ink-2">Until then one root operator can stop it. If you do not know why it was made, veto it and ask.</p>
        </div>
        <Button icon="stop" look="danger" onClick={() => sign({ kind: 'veto', body: { id: pending.id, reason: '' } })}>
          Veto
        </Button>
      </div>
      <div className="mt-2">
        <DifferenceLines lines={pending.changes} />
      </div>
    </Notice>
  )
}

function People({ bundle }: { bundle: Trust }) {
  return (
    <>
      <div className="grid gap-4 lg:grid-cols-2 2xl:grid-cols-3">
        {bundle.operators.map((person) => (
          <PersonCard key={person.id} person={person} />
        ))}
      </div>
      <Card title="Changing people">
        <p className="mb-2 text-ink-2">
          People, keys and roles change by a new bundle that {plural(bundle.root_threshold, 'root operator')} sign. What only takes something away acts at once; everything else waits{' '}
          {duration(bundle.weaken_delay_s)}, in which one root operator can veto it. A new person is added here, by the card that they send; roles, further keys and removals are proposed from the command line. The others approve all of it here.
        </p>
        <Command label="command to change roles" text="bartizan operator role carol --remove enroll" />
      </Card>
    </>
  )
}

function PersonCard({ person }: { person: Person }) {
  return (
    <Card
      actions={person.me && <Badge tone="accent">you</Badge>}
      title={
        <span className="flex items-center gap-2">
          <Icon className="text-ink-3" name="user" />
          <Untrusted max={80} text={person.name} />
          <code className="truncate font-normal text-ink-3">{person.id}</code>
        </span>
      }
    >
      <p className="flex flex-wrap gap-1">
        {person.roles.map((role) => (
          <Badge key={role} tone={role === 'root' ? 'warn' : 'plain'}>
            <Untrusted text={role} />
          </Badge>
        ))}
      </p>
      <p className="mt-1.5 text-ink-2">{person.tenants ? <>For {listed(person.tenants)} only</> : 'For all tenants'}</p>
      <ul className="mt-3 flex flex-col gap-2">
        {person.keys.map((key) => (
          <li className="flex items-start gap-2" key={key.fingerprint}>
            <Icon className="mt-0.5 shrink-0 text-ink-3" name="key" />
            <div className="min-w-0">
              <p className="flex flex-wrap items-center gap-x-2">
                <Untrusted text={key.note || 'no note'} />
                <span className="text-ink-3">{key.key_type}</span>
                {key.origins.length > 0 && <Badge title={key.origins.join(', ')}>passkey</Badge>}
                {key.user_verification && <Badge tone="ok">PIN or fingerprint</Badge>}
                {key.may_be_synced && <Badge tone="warn">may be synced</Badge>}
              </p>
              <code className="block truncate text-xs text-ink-3" title={key.ssh}>
                {key.fingerprint}
              </code>
            </div>
          </li>
        ))}
      </ul>
      {person.keys.length === 1 && <p className="mt-2 text-sm text-warn">One key only: if it is lost, others must let this person in again.</p>}
    </Card>
  )
}

/** The largest number a bundle can write stands for no limit. */
function most(n: number): string {
  return n >= 4_294_967_295 ? 'any' : count(n)
}

function Classes({ bundle }: { bundle: Trust }) {
  return (
    <Card flush title="What each class demands">
      <Table
        heads={['Class', 'Who signs', 'User check', 'Endpoints', 'With a new script', 'Stages', 'First stage', 'Soak', 'Delay', 'Longest window', 'Witnesses'].map((name) => ({ name }))}
        label="Classes"
      >
        {bundle.classes.map((row) => (
          <tr className="whitespace-nowrap" key={row.class}>
            <td className="font-medium">
              <Untrusted text={row.class} />
            </td>
            <td>{row.approvals === 0 ? 'the author' : `the author and ${row.approvals} more`}</td>
            <td className="text-ink-2">{row.user_check === 'none' ? 'none' : row.user_check}</td>
            <td className="tabular">{most(row.endpoints_max)}</td>
            <td className="tabular">{most(row.endpoints_new_max)}</td>
            <td className="tabular">{row.stages_min <= 1 ? 'one' : row.stages_min}</td>
            <td className="tabular">{most(row.first_stage_max)}</td>
            <td>{row.soak_s_min === 0 ? 'none' : duration(row.soak_s_min)}</td>
            <td>{row.delay_s === 0 ? 'none' : duration(row.delay_s)}</td>
            <td>{duration(row.window_s_max)}</td>
            <td className="text-ink-2">
              <Untrusted text={row.witnesses} />
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  )
}

function Rest({ bundle }: { bundle: Trust }) {
  return (
    <div className="grid gap-4 xl:grid-cols-2">
      <Card className="xl:col-span-2" title="Eight words for every byte of the bundle in force">
        <Words words={bundle.words} />
      </Card>
      <Card title="Bundle">
        <Facts
          rows={[
            ['Id', <code className="break-all" key="id">{bundle.id}</code>],
            ['Made', <Time absolute at={bundle.at} key="at" />],
            ['Ends', <Time absolute at={bundle.expires} key="ends" />],
            ['Weakening waits', duration(bundle.weaken_delay_s)],
            ['Recovery waits', duration(bundle.recovery_delay_s)],
            ['Oldest agent', <Untrusted key="agent" text={bundle.min_agent || 'any'} />],
          ]}
        />
      </Card>
      <Card title="Servers">
        {bundle.servers.map((server) => (
          <Facts
            key={server.spki}
            rows={[
              ['Addresses', <Prose key="addresses" text={server.addresses.join(', ')} />],
              ['TLS key', <code className="break-all" key="spki">{server.spki}</code>],
            ]}
          />
        ))}
      </Card>
      <Card title="Witnesses">
        <ul className="flex flex-wrap gap-2">
          {bundle.witnesses.map((witness) => (
            <li key={witness.name}>
              <Badge tone={witness.me ? 'accent' : 'plain'}>
                <Untrusted text={witness.name} />
                {witness.me && ' (this console)'}
              </Badge>
            </li>
          ))}
        </ul>
      </Card>
      <Card title="Recovery keys and customers">
        <Facts
          rows={[
            ['Recovery', bundle.recovery_keys.length === 0 ? <span className="text-warn" key="none">none: losing all keys loses the fleet. Make one: bartizan recovery new</span> : <code className="break-all" key="keys">{bundle.recovery_keys.join(' ')}</code>],
            ['Customers who countersign', bundle.customers.length === 0 ? 'none' : listed(bundle.customers.map((customer) => customer.tenant))],
          ]}
        />
      </Card>
    </div>
  )
}

const states: Record<BundleRow['state'], { tone: 'ok' | 'warn' | 'plain' | 'bad'; word: string }> = {
  in_force: { tone: 'ok', word: 'in force' },
  waits: { tone: 'warn', word: 'waits' },
  former: { tone: 'plain', word: 'former' },
  no_effect: { tone: 'bad', word: 'no effect' },
}

function History() {
  const history = useQuery(historyQuery())
  if (history.error) return <ErrorBox problem={problemOf(history.error)} retry={() => void history.refetch()} />
  if (!history.data) return <Loading />
  return (
    <ol className="flex flex-col gap-3">
      {history.data.bundles.map((row) => (
        <li key={row.index}>
          <Card
            actions={<Badge tone={states[row.state].tone}>{states[row.state].word}</Badge>}
            title={
              <span className="flex flex-wrap items-baseline gap-x-2">
                Version {row.version}
                <span className="font-normal text-ink-2">
                  <Time at={row.at} />,{' '}
                  <Link className="text-accent underline" search={{ log: 'control', index: row.index }} to="/log">
                    entry {row.index}
                  </Link>
                </span>
              </span>
            }
          >
            <Signatures list={row.signatures} />
            <div className="mt-3">
              <DifferenceLines lines={row.changes} />
            </div>
          </Card>
        </li>
      ))}
    </ol>
  )
}
