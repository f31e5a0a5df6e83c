import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { problemOf } from '~/api/client'
import { composeFounding, foundingQuery } from '~/api/queries'
import type { FoundDraft, Founding } from '~/api/schema'
import { Button } from '~/ui/Button'
import { PageBody, PageHead } from '~/ui/Layout'
import { ErrorBox, Loading, Notice } from '~/ui/States'
import { Prose } from '~/ui/Prose'
import { Words } from '~/ui/Words'

import { useSigning } from '../sign/signing'
import { OwnKeys, missingOf as missingOfKeys } from './OwnKeys'
import { PaperStep } from './PaperStep'
import { type Founder, PeopleStep } from './PeopleStep'
import { type Server, ServerStep, missingOf as missingOfServer } from './ServerStep'
import { Waiting } from './Waiting'
import { StepFoot, StepHead, Wizard } from './Wizard'

const steps = ['You and your keys', 'The server', 'Who founds it with you', 'Recovery on paper', 'Read and sign'] as const

/** An organisation comes into being: what `init` and `recovery new` ask, one after the other. */
export function FoundPage() {
  const founding = useQuery(foundingQuery())
  if (founding.data?.waiting) return <Waiting waiting={founding.data.waiting} />
  if (founding.data) return <Steps founding={founding.data} />
  return (
    <>
      <PageHead title="Found an organisation" />
      <PageBody>{founding.error ? <ErrorBox problem={problemOf(founding.error)} retry={() => void founding.refetch()} /> : <Loading />}</PageBody>
    </>
  )
}

function Steps({ founding }: { founding: Founding }) {
  const [at, setAt] = useState(0)
  const [who, setWho] = useState({ id: '', name: '' })
  const [server, setServer] = useState<Server>({ identity: '', address: '' })
  const [people, setPeople] = useState<Founder[]>([])
  const [draft, setDraft] = useState<FoundDraft>()
  const go = (step: number) => {
    // What is composed belongs to the answers that it was made of.
    setDraft(undefined)
    setAt(step)
  }
  const request = { ...who, name: who.name.trim(), people: people.map((one) => one.request), ...server, address: server.address.trim() }
  return (
    <Wizard at={at} steps={steps} title="Found an organisation">
      {at === 0 && (
        <>
          <StepHead title={steps[0]}>Everything that endpoints do is signed by people. Two keys for each: one to work with, and one in a safe place.</StepHead>
          <OwnKeys founding={founding} onWho={setWho} who={who} />
          <StepFoot>
            <Button disabledReason={missingOfKeys(who, founding)} look="primary" onClick={() => go(1)} size="lg">
              Next
            </Button>
          </StepFoot>
        </>
      )}
      {at === 1 && (
        <>
          <StepHead title={steps[1]}>It carries messages and keeps the logs. It cannot make any endpoint run anything, not even in the hands of somebody else.</StepHead>
          <ServerStep onServer={setServer} server={server} />
          <StepFoot>
            <Button onClick={() => go(0)} size="lg">
              Back
            </Button>
            <Button disabledReason={missingOfServer(server)} look="primary" onClick={() => go(2)} size="lg">
              Next
            </Button>
          </StepFoot>
        </>
      )}
      {at === 2 && (
        <>
          <StepHead title={steps[2]}>
            With two people, one stolen key changes nothing. The other opens a console on their own computer, chooses <i>Join</i>, and sends you their card.
          </StepHead>
          <PeopleStep onPeople={setPeople} people={people} />
          <StepFoot>
            <Button onClick={() => go(1)} size="lg">
              Back
            </Button>
            <Button look={people.length > 0 ? 'primary' : 'plain'} onClick={() => go(3)} size="lg">
              {people.length > 0 ? 'Next' : 'Alone for now'}
            </Button>
          </StepFoot>
        </>
      )}
      {at === 3 && <Recovery draft={draft} key={draft?.anchor} onBack={() => go(2)} onDraft={setDraft} onNext={() => setAt(4)} request={request} />}
      {at === 4 && draft && <Sign draft={draft} onBack={() => go(2)} />}
    </Wizard>
  )
}

type RecoveryProps = {
  request: Omit<Parameters<typeof composeFounding>[0], 'recovery'>
  draft: FoundDraft | undefined
  onDraft: (draft: FoundDraft | undefined) => void
  onBack: () => void
  onNext: () => void
}

function Recovery({ request, draft, onDraft, onBack, onNext }: RecoveryProps) {
  const [done, setDone] = useState(0)
  const compose = useMutation({
    mutationFn: (recovery: boolean) => composeFounding({ ...request, recovery }),
    onSuccess: (made) => {
      onDraft(made)
      if (made.sheets.length === 0) onNext()
    },
    // The answer has the passphrases: it is kept by the step that shows them, and by nothing else.
    gcTime: 0,
  })
  const sheet = draft?.sheets[done]
  if (draft && sheet) {
    return (
      <>
        <StepHead key={`head of ${sheet.kind}`} title={`Sheet ${done + 1} of ${draft.sheets.length}: ${sheet.kind === 'recovery' ? 'the recovery key' : 'the spare witness'}`} />
        <PaperStep
          count={draft.sheets.length}
          key={sheet.kind}
          number={done + 1}
          onAgain={() => onDraft(undefined)}
          onDone={() => {
            onDraft({ ...draft, sheets: draft.sheets.map((one, at) => (at <= done ? { ...one, passphrase: '' } : one)) })
            if (done + 1 === draft.sheets.length) onNext()
            else setDone(done + 1)
          }}
          sheet={sheet}
        />
      </>
    )
  }
  return (
    <>
      <StepHead key="first" title={steps[3]}>
        Two sheets of paper for the day on which keys are lost. One names new people, after three days in which anybody still there can stop it. The other lets endpoints follow when every console is gone. Keep them in two places; each has a passphrase of its own.
      </StepHead>
      {compose.error && <ErrorBox problem={problemOf(compose.error)} />}
      {compose.isPending && <Notice icon="clock">The keys are made and locked. This takes a few seconds.</Notice>}
      <StepFoot>
        <Button onClick={onBack} size="lg">
          Back
        </Button>
        <Button busy={compose.isPending} look="primary" onClick={() => compose.mutate(true)} size="lg">
          Make the sheets
        </Button>
        <Button busy={compose.isPending && compose.variables === false} look="quiet" onClick={() => compose.mutate(false)} size="lg">
          Without, for now
        </Button>
      </StepFoot>
    </>
  )
}

function Sign({ draft, onBack }: { draft: FoundDraft; onBack: () => void }) {
  const sign = useSigning()
  return (
    <>
      <StepHead title={steps[4]}>This is the first bundle: who may do what, which server, which keys on paper. Endpoints believe it and what follows from it, and nothing else.</StepHead>
      {draft.warnings.map((warning) => (
        <Notice icon="alert" key={warning} tone="warn">
          <Prose text={warning} />
        </Notice>
      ))}
      <Words words={draft.words} />
      <StepFoot>
        <Button hint="What was printed belongs to this bundle alone: going back makes new sheets." onClick={onBack} size="lg">
          Back
        </Button>
        <Button icon="key" look="primary" onClick={() => sign({ kind: 'genesis' })} size="lg">
          Read and sign
        </Button>
      </StepFoot>
    </>
  )
}
