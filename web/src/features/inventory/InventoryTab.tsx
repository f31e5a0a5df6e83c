import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { problemOf } from '~/api/client'
import { inventoryChangesQuery, inventoryQuery, inventorySectionQuery } from '~/api/queries'
import type { EndpointView, InventoryChange, InventoryItem, InventorySectionRow } from '~/api/schema'
import { flatten } from '~/lib/inventory'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Input } from '~/ui/Field'
import { Card } from '~/ui/Layout'
import { Empty, ErrorBox, Loading, Notice } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'
import { cx } from '~/ui/cx'

/** Items drawn at once; a filter narrows them. */
const shownMax = 500

/** What an endpoint reports of itself: its sections, one of them, and what changed. Agents without sections sent one document. */
export function InventoryTab({ view }: { view: EndpointView }) {
  const inventory = useQuery(inventoryQuery(view.row.id))
  const [chosen, setChosen] = useState<string>()
  if (inventory.error) return <ErrorBox problem={problemOf(inventory.error)} retry={() => void inventory.refetch()} />
  if (!inventory.data) return <Loading />
  const { sections, tags, fields } = inventory.data
  if (sections.length === 0) return <Document view={view} />
  const section = sections.find((one) => one.name === chosen) ?? sections.find((one) => one.name === 'os') ?? sections[0]
  return (
    <div className="grid gap-4 xl:grid-cols-[14rem_minmax(0,1fr)]">
      <div className="flex flex-col gap-4">
        <Card flush title="Sections">
          <ul className="py-1">
            {sections.map((one) => (
              <li key={one.name}>
                <SectionButton current={one.name === section?.name} onChoose={() => setChosen(one.name)} section={one} />
              </li>
            ))}
          </ul>
        </Card>
        {(tags.length > 0 || fields.length > 0) && (
          <Card title="Written down">
            <div className="flex flex-wrap gap-1">
              {tags.map((tag) => (
                <Badge key={tag}>
                  <Untrusted text={tag} />
                </Badge>
              ))}
            </div>
            <dl className="mt-2 flex flex-col gap-1">
              {fields.map((field) => (
                <div key={field.name} title={`set for the ${field.scope}`}>
                  <dt className="label inline">
                    <Untrusted text={field.name} />
                  </dt>{' '}
                  <dd className="inline break-words">
                    <Untrusted max={256} text={field.value} />
                  </dd>
                </div>
              ))}
            </dl>
          </Card>
        )}
      </div>
      <div className="flex min-w-0 flex-col gap-4">
        {section && <Section id={view.row.id} key={section.name} section={section} />}
        <Changes id={view.row.id} />
      </div>
    </div>
  )
}

function SectionButton({ section, current, onChoose }: { section: InventorySectionRow; current: boolean; onChoose: () => void }) {
  return (
    <button
      aria-pressed={current}
      className={cx('flex w-full items-baseline justify-between px-4 py-1 text-left hover:bg-sunken', current && 'bg-accent-soft font-medium text-accent')}
      onClick={onChoose}
      type="button"
    >
      <Untrusted text={section.name} />
      <span className="tabular text-ink-3">{section.items}</span>
    </button>
  )
}

function Section({ id, section }: { id: string; section: InventorySectionRow }) {
  const items = useQuery(inventorySectionQuery(id, section.name))
  const [filter, setFilter] = useState('')
  const wanted = filter.toLowerCase()
  const fits = (item: InventoryItem) => [item.key, ...item.facts.map((fact) => fact.value)].some((text) => text.toLowerCase().includes(wanted))
  const all = items.data?.items ?? []
  const unknown = all.filter((item) => item.unknown != null)
  const rows = all.filter((item) => item.unknown == null && fits(item))
  return (
    <Card
      actions={<Input aria-label="Filter the section" className="w-56!" onChange={(event) => setFilter(event.target.value)} placeholder="Filter" value={filter} />}
      flush
      title={
        <span>
          <Untrusted className="first-letter:uppercase" text={section.name} />{' '}
          <span className="font-normal text-ink-2">
            so since <Time at={section.at} />, looked at <Time at={section.own_at} />
          </span>
        </span>
      }
    >
      {items.error && <ErrorBox problem={problemOf(items.error)} retry={() => void items.refetch()} />}
      {items.isPending && <Loading />}
      {unknown.map((item) => (
        <div className="px-4 pt-3" key={item.key}>
          <Notice icon="alert" tone="warn">
            Not known: <Untrusted max={256} text={item.key} />. <Untrusted className="whitespace-normal!" max={1024} text={item.unknown ?? ''} />
          </Notice>
        </div>
      ))}
      {items.data && rows.length === 0 && <Empty icon="info" title={filter ? 'Nothing here fits' : 'There is nothing in this section'} />}
      {rows.length > 0 && (
        <Table heads={[{ name: 'What', className: 'w-1/3' }, { name: 'Values' }]} label="Inventory">
          {rows.slice(0, shownMax).map((item) => (
            <tr key={item.key}>
              <td className="break-all">
                <Untrusted className="whitespace-normal!" max={256} text={item.key} />
              </td>
              <td>
                <Facts item={item} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      {rows.length > shownMax && <p className="px-4 py-2 text-ink-2">The first {shownMax} of {rows.length} are shown; type to narrow them.</p>}
    </Card>
  )
}

function Facts({ item }: { item: InventoryItem }) {
  return (
    <span className="flex flex-wrap gap-x-4">
      {item.facts
        .filter((fact) => fact.value !== item.key)
        .map((fact) => (
          <span className="break-all" key={fact.name}>
            {fact.name !== 'value' && (
              <span className="text-ink-3">
                <Untrusted text={fact.name} />{' '}
              </span>
            )}
            <Untrusted className="whitespace-normal!" max={1024} text={fact.value} />
          </span>
        ))}
    </span>
  )
}

const tones = { new: 'ok', gone: 'bad', changed: 'warn' } as const

function Changes({ id }: { id: string }) {
  const [limit, setLimit] = useState(20)
  const history = useQuery(inventoryChangesQuery(id, { limit }))
  if (history.error) return <ErrorBox problem={problemOf(history.error)} retry={() => void history.refetch()} />
  const changes = history.data?.changes ?? []
  return (
    <Card flush title="What changed">
      {history.data && changes.length === 0 && <Empty icon="info" title="Nothing changed since it first reported" />}
      {changes.length > 0 && (
        <Table heads={[{ name: 'When' }, { name: 'Section' }, { name: 'What' }, { name: 'How' }]} label="What changed">
          {changes.map((change, place) => (
            <tr key={`${change.at} ${change.section} ${change.key} ${place}`}>
              <td className="whitespace-nowrap text-ink-2">
                <Time at={change.at} />
              </td>
              <td>
                <Untrusted text={change.section} />
              </td>
              <td className="break-all">
                <Untrusted className="whitespace-normal!" max={256} text={change.key} />
              </td>
              <td>
                <Differences change={change} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      {changes.length === limit && limit < 500 && (
        <div className="px-4 py-2">
          <Button onClick={() => setLimit(500)}>Show older ones</Button>
        </div>
      )}
    </Card>
  )
}

function Differences({ change }: { change: InventoryChange }) {
  const kind = change.kind === 'new' || change.kind === 'gone' ? change.kind : 'changed'
  return (
    <span className="flex flex-wrap items-center gap-x-3">
      <Badge tone={tones[kind]}>{kind}</Badge>
      {kind === 'changed' &&
        change.facts.map((fact) => (
          <span className="break-all" key={fact.name}>
            <span className="text-ink-3">
              <Untrusted text={fact.name} />{' '}
            </span>
            <Untrusted className="whitespace-normal!" max={256} text={fact.before ?? 'none'} /> → <Untrusted className="whitespace-normal!" max={256} text={fact.after ?? 'none'} />
          </span>
        ))}
    </span>
  )
}

/** What agents sent before there were sections. */
function Document({ view }: { view: EndpointView }) {
  const [filter, setFilter] = useState('')
  if (view.inventory === undefined || view.inventory === null) {
    return (
      <Empty icon="info" title="No inventory yet">
        An endpoint sends it when it connects, and when somebody asks for it. It needs no signature: reading is not acting.
      </Empty>
    )
  }
  const rows = flatten(view.inventory).filter((row) => `${row.path} ${row.value}`.toLowerCase().includes(filter.toLowerCase()))
  return (
    <Card
      actions={<Input aria-label="Filter the inventory" className="w-56!" onChange={(event) => setFilter(event.target.value)} placeholder="Filter" value={filter} />}
      flush
      title="What it reports of itself"
    >
      <Table heads={[{ name: 'What', className: 'w-1/3' }, { name: 'Value' }]} label="Inventory">
        {rows.slice(0, shownMax).map((row) => (
          <tr key={row.path}>
            <td className="text-ink-2">
              <Untrusted max={200} text={row.path} />
            </td>
            <td className="break-all">
              <Untrusted className="whitespace-pre-wrap!" max={2000} text={row.value} />
            </td>
          </tr>
        ))}
      </Table>
      {rows.length > shownMax && <p className="px-4 py-2 text-ink-2">The first {shownMax} of {rows.length} are shown; type to narrow them.</p>}
    </Card>
  )
}
