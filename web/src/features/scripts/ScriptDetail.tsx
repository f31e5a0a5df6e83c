import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'

import { problemOf } from '~/api/client'
import { forgetScript, scriptVersionQuery, scriptsQuery } from '~/api/queries'
import type { LibraryScript } from '~/api/schema'
import { bytes, plural } from '~/lib/format'
import { duration } from '~/lib/time'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Select } from '~/ui/Field'
import { Kbd } from '~/ui/Kbd'
import { Card, Facts } from '~/ui/Layout'
import { ErrorBox, Loading } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

import { DifferenceView } from '../sign/DifferenceView'
import { ReviewBadge, ReviewLine } from './ReviewBadge'
import type { ScriptsSearch } from './search'

/** One script: what it is, its versions, and what each of them changed. */
export function ScriptDetail({ script, search, known }: { script: LibraryScript; search: ScriptsSearch; known: boolean }) {
  const { about, versions } = script
  const navigate = useNavigate({ from: '/scripts' })
  const queries = useQueryClient()
  const forget = useMutation({
    mutationFn: () => forgetScript(about.name),
    onSuccess: (library) => {
      queries.setQueryData(scriptsQuery().queryKey, library)
      void navigate({ search: {} })
    },
  })
  const [sure, setSure] = useState(false)
  const shown = versions.find((version) => version.sha256 === search.version) ?? versions[0]
  const before = versions[versions.findIndex((version) => version === shown) + 1]
  const since = search.since === 'none' ? undefined : (versions.find((version) => version.sha256 === search.since) ?? before)
  if (!shown) return null
  const parameters = about.parameters ?? []
  const rows: [ReactNode, ReactNode][] = [
    ['Runs with', <span key="runs">{about.interpreter}, {about.run_as ? <Untrusted text={`as ${about.run_as}`} /> : 'as root'}, for at most {duration(about.timeout_s)}</span>],
    ...(parameters.length > 0
      ? [['Parameters', <ul className="flex flex-col gap-0.5" key="parameters">{parameters.map((one) => <li key={one.name}><code>{one.name}</code> <Untrusted className="whitespace-normal!" text={`${one.about}${one.value ? ` (${one.value})` : ''}`} /></li>)}</ul>] as [ReactNode, ReactNode]]
      : []),
    ['Reviewed', shown.reviews.length > 0 ? <ul className="flex flex-col gap-1" key="reviewed">{shown.reviews.slice(0, 5).map((review) => <li key={review.job}><ReviewLine review={review} /></li>)}</ul> : <span className="text-ink-2" key="new">{known ? 'No job in the log has this text and the signatures of two people. It becomes reviewed when one has.' : 'Nobody can say now.'}</span>],
  ]
  return (
    <>
      <div className="flex flex-wrap items-start gap-3">
        <div className="min-w-0 flex-1 basis-60">
          <h2 className="text-xl font-semibold break-words">
            <Untrusted className="whitespace-normal!" text={about.title} />
          </h2>
          <p className="mt-1 flex flex-wrap items-center gap-2 text-ink-2">
            <code>{about.name}</code>
            <ReviewBadge known={known} version={shown} />
            {about.destructive && <Badge tone="warn">destructive</Badge>}
          </p>
        </div>
        <Button
          busy={forget.isPending}
          hint="On this computer. What was signed and logged stays."
          look={sure ? 'danger' : 'quiet'}
          onBlur={() => setSure(false)}
          onClick={() => (sure ? forget.mutate() : setSure(true))}
        >
          {sure ? `Forget ${plural(versions.length, 'version')}?` : 'Forget'}
        </Button>
        <Button onClick={() => void navigate({ search: { name: about.name, edit: true } })}>
          Edit <Kbd keys="e" />
        </Button>
        <Button icon="play" look="primary" onClick={() => void navigate({ to: '/run', search: { script: about.name, ...(shown === versions[0] ? {} : { version: shown.sha256 }) } })}>
          Run it <Kbd keys="r" />
        </Button>
      </div>
      {forget.error && <ErrorBox problem={problemOf(forget.error)} />}
      {about.description && (
        <p className="max-w-[75ch] text-ink-2">
          <Untrusted multiline text={about.description} />
        </p>
      )}
      <Facts rows={rows} />
      <Card flush title={plural(versions.length, 'version')}>
        <Table heads={[{ name: 'SHA-256' }, { name: 'Kept' }, { name: 'Size' }, { name: 'Review' }]} label="Versions">
          {versions.slice(0, 50).map((version) => (
            <tr aria-current={version === shown ? 'true' : undefined} className={version === shown ? 'bg-selected' : undefined} key={version.sha256}>
              <td>
                <Link className="font-mono text-accent underline" search={{ name: about.name, version: version.sha256 }} title={version.sha256} to="/scripts">
                  {version.sha256.slice(0, 12)}
                </Link>
              </td>
              <td><Time at={version.at} /></td>
              <td className="tabular">{bytes(version.size)}</td>
              <td><ReviewBadge known={known} version={version} /></td>
            </tr>
          ))}
        </Table>
      </Card>
      <label className="flex flex-wrap items-center gap-2">
        Compare with
        <Select className="w-auto!" disabled={versions.length < 2} onChange={(event) => void navigate({ search: { ...search, name: about.name, version: shown.sha256, since: event.target.value }, replace: true })} value={since?.sha256 ?? 'none'}>
          <option value="none">{versions.length < 2 ? 'nothing: it has one version' : 'nothing: show the text'}</option>
          {versions.filter((version) => version !== shown).map((version) => (
            <option key={version.sha256} value={version.sha256}>
              {version.sha256.slice(0, 12)}
            </option>
          ))}
        </Select>
      </label>
      <Text name={about.name} sha256={shown.sha256} since={since?.sha256} />
    </>
  )
}

function Text({ name, sha256, since }: { name: string; sha256: string; since: string | undefined }) {
  const version = useQuery(scriptVersionQuery(name, sha256, since))
  if (version.error) return <ErrorBox problem={problemOf(version.error)} retry={() => void version.refetch()} />
  if (!version.data) return <Loading lines={6} />
  if (version.data.difference) return <DifferenceView difference={{ ...version.data.difference, from: version.data.difference.from.slice(0, 12) }} />
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre aria-label="Text of the script" className="max-h-140 overflow-auto rounded-md border border-line bg-sunken p-3" role="region" tabIndex={0}>
      <Untrusted multiline text={version.data.text} />
    </pre>
  )
}
