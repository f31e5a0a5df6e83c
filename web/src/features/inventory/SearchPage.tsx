import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi, useNavigate } from '@tanstack/react-router'
import { type FormEvent, useRef, useState } from 'react'

import { problemOf } from '~/api/client'
import { findQuery } from '~/api/inventory'
import type { FoundWindow } from '~/api/schema'
import { plural } from '~/lib/format'
import { useKeys } from '~/lib/keys'
import { Button } from '~/ui/Button'
import { Input } from '~/ui/Field'
import { Card, PageBody, PageHead } from '~/ui/Layout'
import { Pager } from '~/ui/Pager'
import { Empty, ErrorBox, Loading, Notice } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Untrusted } from '~/ui/Untrusted'

import { EndpointName } from '../endpoint/EndpointName'
import { examples, queryMax } from './search'

const route = getRouteApi('/shell/inventory')
const limit = 100

/** Everything that endpoints report of themselves, in one search. */
export function SearchPage() {
  const { q, offset = 0 } = route.useSearch()
  const navigate = useNavigate({ from: '/inventory' })
  const input = useRef<HTMLInputElement>(null)
  const [typed, setTyped] = useState(q ?? '')
  const found = useQuery({ ...findQuery(q ?? '', offset, limit), enabled: q !== undefined })
  // Another address: a step back, or an example.
  const [seen, setSeen] = useState(q)
  if (q !== seen) {
    setSeen(q)
    setTyped(q ?? '')
  }
  useKeys({ '/': () => input.current?.focus() })
  const search = (event: FormEvent) => {
    event.preventDefault()
    void navigate({ search: { q: typed.trim() || undefined } })
  }
  return (
    <>
      <PageHead title="Inventory" under="Hardware, systems, packages, ports, users, certificates: every field of every endpoint" />
      <PageBody>
        <form className="flex flex-wrap gap-2" onSubmit={search} role="search">
          <Input aria-label="Query" className="min-w-40 flex-1 font-mono" maxLength={queryMax} onChange={(event) => setTyped(event.target.value)} placeholder="package:openssl<3.0.14" ref={input} value={typed} />
          <Button busy={found.isFetching && found.isPlaceholderData} icon="search" look="primary" type="submit">
            Search
          </Button>
        </form>
        {q === undefined && <Examples />}
        {q !== undefined && found.error && <ErrorBox problem={problemOf(found.error)} retry={() => void found.refetch()} />}
        {q !== undefined && found.isPending && <Loading />}
        {q !== undefined && found.data && !found.error && <Found onOffset={(next) => void navigate({ search: { q, offset: next || undefined } })} window={found.data} />}
      </PageBody>
    </>
  )
}

function Examples() {
  return (
    <Card title="What can be asked">
      <p className="mb-2 text-ink-2">Terms with blanks between them, all of which must hold; a “-” in front turns one round. The same language as <code>bartizan inventory</code>.</p>
      <ul className="flex flex-col gap-1">
        {examples.map(([query, says]) => (
          <li className="flex flex-wrap gap-x-3" key={query}>
            <Link className="font-mono text-accent underline break-all" search={{ q: query }} to="/inventory">
              {query}
            </Link>
            <span className="text-ink-2">{says}</span>
          </li>
        ))}
      </ul>
    </Card>
  )
}

function Found({ window, onOffset }: { window: FoundWindow; onOffset: (offset: number) => void }) {
  const unknown = window.not_judged > 0 && (
    <Notice icon="alert" tone="warn">
      Of {plural(window.not_judged, 'endpoint')} too little is known to tell: a section was never sent, or something could not be read. They are not among the others.
    </Notice>
  )
  if (window.total === 0) {
    return (
      <>
        {unknown}
        <Empty icon="search" title="No endpoint fits">
          Words are looked for as they stand, whatever their case; names of things, as in <code>package:</code>, must be whole, or end in <code>*</code>.
        </Empty>
      </>
    )
  }
  return (
    <>
      {unknown}
      <Card flush title={plural(window.total, 'endpoint')}>
        <Table heads={[{ name: 'Endpoint' }, { name: 'Tenant' }, { name: 'Site' }, { name: 'What fits' }]} label="Endpoints that fit">
          {window.rows.map((row) => (
            <tr key={row.id}>
              <td>
                <EndpointName hostname={row.hostname} id={row.id} />
              </td>
              <td>{row.tenant && <Untrusted max={80} text={row.tenant} />}</td>
              <td>{row.site && <Untrusted max={80} text={row.site} />}</td>
              <td>
                <span className="flex flex-wrap gap-x-4">
                  {row.hits.map((hit, at) => (
                    <span className="break-all" key={at}>
                      <span className="text-ink-3">
                        <Untrusted text={hit.section} />{' '}
                      </span>
                      <Untrusted className="whitespace-normal!" max={160} text={hit.key} />
                    </span>
                  ))}
                </span>
              </td>
            </tr>
          ))}
        </Table>
        <Pager limit={limit} offset={window.offset} onOffset={onOffset} total={window.total} />
      </Card>
    </>
  )
}
