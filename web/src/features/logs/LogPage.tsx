import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'

import { problemOf } from '~/api/client'
import { entriesQuery, entryQuery, logsQuery } from '~/api/queries'
import type { EntryView, LogView, ProofFile } from '~/api/schema'
import { count } from '~/lib/format'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Command, CopyButton } from '~/ui/Copy'
import { Dialog } from '~/ui/Dialog'
import { Icon } from '~/ui/Icon'
import { Card, Facts, PageBody, PageHead } from '~/ui/Layout'
import { Pager } from '~/ui/Pager'
import { Prose } from '~/ui/Prose'
import { ErrorBox, Loading, Notice } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'
import { Words } from '~/ui/Words'
import { cx } from '~/ui/cx'

import { Verified } from '../jobs/badges'
import { SignedByLine, Signatures } from '../sign/Signatures'
import { saveFile } from '~/lib/save'

const route = getRouteApi('/shell/log')

const limit = 50

/** Both public logs, recomputed here, entry by entry, each with what stock tools need to check it. */
export function LogPage() {
  const { log = 'control', index } = route.useSearch()
  const navigate = useNavigate()
  const logs = useQuery(logsQuery())
  return (
    <>
      <PageHead
        actions={
          <Button busy={logs.isFetching} icon="repeat" onClick={() => void logs.refetch()}>
            Verify again
          </Button>
        }
        title="Log"
        under="Whatever endpoints act on stands here first. What is shown is proven on this computer to be in them."
      />
      <PageBody>
        {logs.error && <ErrorBox problem={problemOf(logs.error)} retry={() => void logs.refetch()} />}
        {logs.isPending && <Loading />}
        {logs.data?.alerts.map((alert) => (
          <ErrorBox key={`${alert.code} ${alert.text}`} problem={{ code: alert.code, message: alert.text, next: alert.next }} />
        ))}
        <div className="grid gap-4 xl:grid-cols-2">
          {logs.data?.logs.map((view) => (
            <LogCard chosen={view.name === log} key={view.name} view={view} />
          ))}
        </div>
        <Entries key={log} log={log} onOpen={(at) => void navigate({ to: '/log', search: { log, index: at } })} />
      </PageBody>
      {index !== undefined && <Entry index={index} log={log} onClose={() => void navigate({ to: '/log', search: { log } })} />}
    </>
  )
}

function LogCard({ view, chosen }: { view: LogView; chosen: boolean }) {
  const cosigned = view.witnesses.filter((witness) => witness.at != null)
  return (
    <Card
      actions={<Verified by={view.verification} />}
      className={cx(chosen && 'border-accent!')}
      title={
        <Link className="hover:text-accent" search={{ log: view.name === 'jobs' ? 'jobs' : 'control' }} to="/log">
          {view.name === 'jobs' ? 'Jobs log' : 'Control log'} <span className="tabular font-normal text-ink-2">{count(view.size)} entries</span>
        </Link>
      }
    >
      {!view.verification.verified && (
        <div className="mb-3">
          <Notice icon="alert" tone="bad">
            <Prose text={view.verification.problem ?? 'It does not verify.'} />
          </Notice>
        </div>
      )}
      <Facts
        rows={[
          ['Root', <code className="break-all" key="root">{view.root}</code>],
          ['Co-signed here', view.cosigned_here == null ? 'not yet: run bartizan witness' : `up to entry ${count(view.cosigned_here)}`],
          [
            'Witnesses',
            <ul className="flex flex-wrap gap-1.5" key="witnesses">
              {view.witnesses.map((witness) => (
                <li key={witness.name}>
                  <Badge tone={witness.at == null ? 'plain' : 'ok'}>
                    <Icon name={witness.at == null ? 'clock' : 'check'} size={12} />
                    <Untrusted text={witness.name} /> {witness.at == null ? 'has not' : <Time at={witness.at} />}
                  </Badge>
                </li>
              ))}
              {cosigned.length === 0 && <li className="text-warn">nobody has co-signed the newest checkpoint yet</li>}
            </ul>,
          ],
        ]}
      />
      <details className="mt-2">
        <summary className="cursor-pointer text-ink-2">The checkpoint, as the server signed it</summary>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <pre aria-label="Checkpoint" className="mt-1.5 overflow-x-auto rounded-md bg-sunken p-2.5" role="region" tabIndex={0}>
          <Untrusted className="whitespace-pre!" multiline text={view.checkpoint} />
        </pre>
      </details>
    </Card>
  )
}

function Entries({ log, onOpen }: { log: 'control' | 'jobs'; onOpen: (index: number) => void }) {
  const [offset, setOffset] = useState(0)
  const entries = useQuery(entriesQuery(log, { offset, limit }))
  return (
    <Card flush title={`Entries of the ${log} log, newest first`}>
      {entries.error && (
        <div className="p-4">
          <ErrorBox problem={problemOf(entries.error)} retry={() => void entries.refetch()} />
        </div>
      )}
      {entries.isPending && (
        <div className="p-4">
          <Loading />
        </div>
      )}
      {entries.data && (
        <>
          <Table heads={[{ name: 'Entry' }, { name: 'Kind' }, { name: 'What' }, { name: 'Signed by' }, { name: 'Check' }]} label="Entries">
            {entries.data.rows.map((row) => (
              <tr key={row.index}>
                <td className="tabular text-ink-2">{row.index}</td>
                <td>
                  <Badge tone={row.kind === 'unknown' ? 'bad' : 'plain'}>
                    <Untrusted text={row.kind} />
                  </Badge>
                </td>
                <td className="max-w-120 truncate">
                  <Untrusted max={160} text={row.title} />
                </td>
                <td className="max-w-60 truncate text-ink-2">
                  <SignedByLine list={row.signatures} />
                </td>
                <td>
                  <Button onClick={() => onOpen(row.index)} size="sm">
                    Verify it yourself
                  </Button>
                </td>
              </tr>
            ))}
          </Table>
          <Pager limit={limit} offset={offset} onOffset={setOffset} total={entries.data.total} />
        </>
      )}
    </Card>
  )
}

function Entry({ log, index, onClose }: { log: 'control' | 'jobs'; index: number; onClose: () => void }) {
  const entry = useQuery(entryQuery(log, index))
  return (
    <Dialog
      description={entry.data && <span className="inline-flex items-center gap-2"><Badge>{entry.data.row.kind}</Badge> <Verified by={entry.data.verification} /></span>}
      kind="sheet"
      onClose={onClose}
      open
      size="lg"
      title={`Entry ${index} of the ${log} log`}
    >
      {entry.error && <ErrorBox problem={problemOf(entry.error)} retry={() => void entry.refetch()} />}
      {entry.isPending && <Loading />}
      {entry.data && <Proof entry={entry.data} />}
    </Dialog>
  )
}

function Proof({ entry }: { entry: EntryView }) {
  return (
    <div className="flex flex-col gap-4">
      {!entry.verification.verified && (
        <Notice icon="alert" tone="bad">
          <Prose text={entry.verification.problem ?? 'It does not verify.'} />
        </Notice>
      )}
      <section>
        <h3 className="mb-1.5 font-semibold">Verify it yourself</h3>
        <p className="mb-2 text-ink-2">Nothing of Bartizan is needed: save the files in a folder, and run these commands there.</p>
        <ul className="mb-2 flex flex-wrap gap-2">
          {entry.files.map((file) => (
            <li key={file.name}>
              <Save file={file} />
            </li>
          ))}
        </ul>
        <div className="flex flex-col gap-1.5">
          {entry.commands.map((command) => (
            <Command key={command} label="command" text={command} />
          ))}
        </div>
      </section>
      <section>
        <h3 className="mb-1.5 font-semibold">Signatures</h3>
        <Signatures list={entry.row.signatures} />
      </section>
      <Words size="sm" words={entry.words} />
      <Pre label="In words, from its exact bytes" text={entry.text} />
      <Facts
        rows={[
          ...(entry.row.id ? [['Statement', <code className="break-all" key="id">{entry.row.id}</code>] as [string, ReactNode]] : []),
          ['Leaf', <code className="break-all" key="leaf">{entry.leaf}</code>],
        ]}
      />
      <Pre label="Proof, as a C2SP tlog-proof" text={entry.proof} />
    </div>
  )
}

function Pre({ label, text }: { label: string; text: string }) {
  return (
    <section>
      <h3 className="mb-1.5 flex items-center gap-2 font-semibold">
        {label} <CopyButton text={text} />
      </h3>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre aria-label={label} className="max-h-96 overflow-auto rounded-md border border-line bg-sunken p-3" role="region" tabIndex={0}>
        <Untrusted multiline text={text} />
      </pre>
    </section>
  )
}

function Save({ file }: { file: ProofFile }) {
  return (
    <Button icon="down" onClick={() => saveFile(file)} size="sm">
      <Untrusted max={80} text={file.name} />
    </Button>
  )
}
