import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, getRouteApi, useNavigate } from '@tanstack/react-router'
import { Suspense, lazy, useDeferredValue, useState } from 'react'

import { problemOf } from '~/api/client'
import { policiesQuery, policyQuery, verdictQuery } from '~/api/policies'
import type { PolicyRequest } from '~/api/schema'
import { useKeys } from '~/lib/keys'
import { Button, Spinner } from '~/ui/Button'
import { Field, Input } from '~/ui/Field'
import { Kbd } from '~/ui/Kbd'
import { Card, PageBody, PageHead } from '~/ui/Layout'
import { Prose } from '~/ui/Prose'
import { ErrorBox, Loading, Notice } from '~/ui/States'
import { Untrusted } from '~/ui/Untrusted'

import { useSigning } from '../sign/signing'

const Editor = lazy(() => import('./PolicyEditor').then((all) => ({ default: all.PolicyEditor })))

const route = getRouteApi('/shell/policies/write')

/** A policy as a text, and beside it what the operator process makes of it. */
export function WritePage() {
  const { from } = route.useSearch()
  const defaults = useQuery({ ...policiesQuery(), enabled: from === undefined })
  const policy = useQuery({ ...policyQuery(from ?? ''), enabled: from !== undefined })
  const error = from === undefined ? defaults.error : policy.error
  const source = from === undefined ? defaults.data?.defaults : policy.data?.source
  return (
    <>
      {source === undefined && <PageHead title="Write a policy" />}
      {source === undefined && <PageBody>{error ? <ErrorBox problem={problemOf(error)} retry={() => void (from === undefined ? defaults : policy).refetch()} /> : <Loading />}</PageBody>}
      {source !== undefined && <Form from={from} key={from ?? ''} source={source} />}
    </>
  )
}

type Draft = { source: string; tenant: string; site: string; endpoint: string; days: string }

/** Nothing is asked for a place that is only half typed. */
function requestOf(draft: Draft): PolicyRequest {
  const days = Number(draft.days)
  const filled = (text: string) => (text.trim() === '' ? null : text.trim())
  return { source: draft.source, tenant: filled(draft.tenant), site: filled(draft.site), endpoint: filled(draft.endpoint), days: Number.isInteger(days) && days > 0 ? days : 0 }
}

function Form({ source, from }: { source: string; from: string | undefined }) {
  const search = route.useSearch()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const sign = useSigning()
  const [draft, setDraft] = useState<Draft>({ source, tenant: search.tenant ?? '', site: search.site ?? '', endpoint: search.endpoint ?? '', days: '90' })
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }))
  const request = requestOf(useDeferredValue(draft))
  const verdict = useQuery(verdictQuery(request))
  const problem = verdict.error ? problemOf(verdict.error) : verdict.data?.problem
  const old = verdict.isPlaceholderData || verdict.isFetching
  const blocked = problem ? problem.message : verdict.data?.text == null && 'It is being read.'
  const open = () =>
    sign({ kind: 'policy', body: requestOf(draft) }, (signed) => {
      void queries.invalidateQueries({ queryKey: ['policies'] })
      void navigate({ to: '/policies/$id', params: { id: signed.id } })
    })
  useKeys({ 'mod+Enter': blocked ? undefined : open })
  const text = (key: 'tenant' | 'site' | 'endpoint' | 'days', label: string, hint: string, type = 'text') => (
    <Field hint={hint} label={label}>
      {(ids) => <Input {...ids} onChange={(event) => set({ [key]: event.target.value })} type={type} value={draft[key]} />}
    </Field>
  )
  return (
    <>
      <PageHead
        actions={
          <Button disabledReason={blocked} icon="key" look="primary" onClick={open}>
            Sign <Kbd keys="Ctrl Enter" />
          </Button>
        }
        before={
          <Link className="hover:text-ink" to="/policies">
            Checks and policies
          </Link>
        }
        title={from === undefined ? 'Write a policy' : 'Write the next version'}
        under={from === undefined ? 'The text begins as the policy that comes with the product' : 'Under the same name at the same place it takes the place of the one before, for good'}
      />
      <PageBody>
        <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-4">
          {text('tenant', 'Tenant', 'Left out: every endpoint of the organisation.')}
          {text('site', 'Site', 'Only one site of the tenant.')}
          {text('endpoint', 'Endpoint', 'A whole id, without tenant and site.')}
          {text('days', 'Days', 'Then it ends by itself.', 'number')}
        </div>
        <div className="grid gap-4 xl:grid-cols-2">
          <Card title="The text">
            <Suspense fallback={<Loading />}>
              <Editor onChange={(value) => set({ source: value })} value={draft.source} />
            </Suspense>
            <p className="mt-2 text-ink-3">
              Tab leaves the editor. Kinds of checks and their fields: guide, “Monitoring”.
            </p>
          </Card>
          <Card
            title={
              <span className="inline-flex items-center gap-2">
                What would be signed {old && <Spinner />}
              </span>
            }
          >
            <div aria-live="polite" className="flex flex-col gap-3">
              {problem && <ErrorBox problem={problem} />}
              {!problem && verdict.data?.text != null && (
                <>
                  <Notice>
                    Who else must sign: <Prose text={verdict.data.who_else} />.
                  </Notice>
                  <pre aria-label="The policy in words" className="overflow-x-auto text-sm whitespace-pre-wrap break-words">
                    <Untrusted multiline text={verdict.data.text} />
                  </pre>
                </>
              )}
              {verdict.isPending && <Loading />}
            </div>
          </Card>
        </div>
      </PageBody>
    </>
  )
}
