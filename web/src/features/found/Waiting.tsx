import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'

import { problemOf } from '~/api/client'
import { forgetFounding, publishFounding } from '~/api/queries'
import type { FoundingWaits } from '~/api/schema'
import { saveFile } from '~/lib/save'
import { Button } from '~/ui/Button'
import { Command } from '~/ui/Copy'
import { Icon } from '~/ui/Icon'
import { Card, PageBody, PageHead } from '~/ui/Layout'
import { ErrorBox, Notice } from '~/ui/States'
import { Words } from '~/ui/Words'

import { Signatures } from '../sign/Signatures'
import { useSigning } from '../sign/signing'

/** The first bundle was signed here: what is still missing until the organisation is there, and this console in it. */
export function Waiting({ waiting }: { waiting: FoundingWaits }) {
  const queries = useQueryClient()
  const settle = { onSettled: () => queries.invalidateQueries({ queryKey: ['founding'] }) }
  const publish = useMutation({ mutationFn: publishFounding, ...settle })
  const forget = useMutation({ mutationFn: forgetFounding, ...settle })
  const { published, complete, problem } = waiting
  return (
    <>
      <PageHead title={published ? 'The organisation exists' : complete ? 'Enough people have signed' : 'Waiting for the others'} under={published ? 'Now let this console in.' : undefined} />
      <PageBody className="mx-0! max-w-200!">
        {[problem, publish.error && problemOf(publish.error), forget.error && problemOf(forget.error)].map((one) => one && <ErrorBox key={one.message} problem={one} />)}
        {published ? <Enter waiting={waiting} /> : !complete && <HandOver waiting={waiting} />}
        {complete && !published && (
          <Notice icon="alert" tone="warn">
            <div className="flex flex-wrap items-center gap-3">
              <p className="flex-1 basis-60">The server has not taken it yet. It is kept here and can be handed over again.</p>
              <Button busy={publish.isPending} look="primary" onClick={() => publish.mutate()}>
                Hand it to the server
              </Button>
            </div>
          </Notice>
        )}
        <Card title="Eight words of the organisation">
          <Words words={waiting.words} />
          <p className="mt-3 text-ink-2">Everybody must see the same: they stand for every byte of what was signed.</p>
        </Card>
        <Card title={`Signed by ${waiting.signatures.length} of ${waiting.needed}`}>
          <Signatures list={waiting.signatures} />
        </Card>
        {!published && (
          <div>
            <Button busy={forget.isPending} look="quiet" onClick={() => forget.mutate()}>
              Forget it and begin again
            </Button>
          </div>
        )}
      </PageBody>
    </>
  )
}

function Enter({ waiting }: { waiting: FoundingWaits }) {
  const sign = useSigning()
  const navigate = useNavigate()
  const { anchor, address } = waiting
  return (
    <Card>
      <div className="flex flex-wrap items-center gap-4 py-2">
        <span className="grid size-10 place-items-center rounded-full bg-ok-soft text-ok">
          <Icon name="check" size={20} />
        </span>
        <p className="flex-1 basis-60 text-ink-2">
          The server says that it serves <code className="break-all">{anchor}</code>. Entering it reads the log and believes only what leads back to that.
        </p>
        <Button icon="key" look="primary" onClick={() => sign({ kind: 'join', body: { anchor, address } }, () => void navigate({ to: '/' }))} size="lg">
          Enter
        </Button>
      </div>
    </Card>
  )
}

function HandOver({ waiting }: { waiting: FoundingWaits }) {
  return (
    <Card title="Give this to the person who signs next">
      <ol className="flex flex-col gap-3">
        <li className="flex flex-col items-start gap-1.5">
          <p>The file, by any way: it is no secret, and a changed byte changes the words.</p>
          <Button icon="down" onClick={() => saveFile({ name: 'genesis.json', base64: waiting.file })}>
            genesis.json
          </Button>
        </li>
        <li className="flex flex-col gap-1.5">
          <p>The server’s address, which goes with it:</p>
          <Command label="address of the server" text={waiting.address} />
        </li>
        <li>
          <p>And the eight words below, by telephone. This page goes on by itself once they have signed.</p>
        </li>
      </ol>
    </Card>
  )
}
