import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'

import { problemOf } from '~/api/client'
import { foundingQuery, makeCard } from '~/api/queries'
import type { Founding, OwnCard } from '~/api/schema'
import { base64, saveFile } from '~/lib/save'
import { Button } from '~/ui/Button'
import { Field, FileInput, Input } from '~/ui/Field'
import { Card, PageBody, PageHead } from '~/ui/Layout'
import { ErrorBox, Loading } from '~/ui/States'
import { Untrusted } from '~/ui/Untrusted'
import { Words } from '~/ui/Words'

import { useSigning } from '../sign/signing'
import { OwnKeys, missingOf } from './OwnKeys'
import { Waiting } from './Waiting'
import { StepFoot, StepHead, Wizard } from './Wizard'

const steps = ['You and your keys', 'Your card', 'What they send back'] as const
/** A first bundle with its signatures; the process has limits of its own. */
const FILE_BYTES_MAX = 4 * 1024 * 1024

/** A person comes to an organisation: their card goes out, and what comes back is signed or entered. */
export function JoinPage() {
  const founding = useQuery(foundingQuery())
  if (founding.data?.waiting) return <Waiting waiting={founding.data.waiting} />
  if (founding.data) return <Steps founding={founding.data} />
  return (
    <>
      <PageHead title="Join an organisation" />
      <PageBody>{founding.error ? <ErrorBox problem={problemOf(founding.error)} retry={() => void founding.refetch()} /> : <Loading />}</PageBody>
    </>
  )
}

function Steps({ founding }: { founding: Founding }) {
  const [at, setAt] = useState(0)
  const [who, setWho] = useState({ id: '', name: '' })
  const card = useMutation({ mutationFn: () => makeCard({ id: who.id, name: who.name.trim() }), onSuccess: () => setAt(1) })
  return (
    <Wizard at={at} steps={steps} title="Join an organisation">
      {at === 0 && (
        <>
          <StepHead title={steps[0]}>Everything that endpoints do is signed by people. Two keys for each: one to work with, and one in a safe place.</StepHead>
          {card.error && <ErrorBox problem={problemOf(card.error)} />}
          <OwnKeys founding={founding} onWho={setWho} who={who} />
          <StepFoot>
            <Button busy={card.isPending} disabledReason={missingOf(who, founding)} look="primary" onClick={() => card.mutate()} size="lg">
              Make my card
            </Button>
            <Button look="quiet" onClick={() => setAt(2)} size="lg">
              They have it already
            </Button>
          </StepFoot>
        </>
      )}
      {at === 1 && card.data && (
        <>
          <TheCard card={card.data} id={who.id} />
          <StepFoot>
            <Button onClick={() => setAt(0)} size="lg">
              Back
            </Button>
            <Button look="primary" onClick={() => setAt(2)} size="lg">
              They have it
            </Button>
          </StepFoot>
        </>
      )}
      {at === 2 && <Answer onBack={() => setAt(card.data ? 1 : 0)} />}
    </Wizard>
  )
}

function TheCard({ card, id }: { card: OwnCard; id: string }) {
  const file = `${id}.card.json`
  return (
    <>
      <StepHead title={steps[1]}>It has your name and the public halves of your keys. Send it to whoever founds the organisation, or is in it, by any way.</StepHead>
      <div>
        <Button icon="down" onClick={() => saveFile({ name: file, base64: base64(card.card) })} size="lg">
          <Untrusted text={file} />
        </Button>
      </div>
      <Card title="Read them these words, by telephone or face to face">
        <Words label="Words of your card" words={card.words} />
        <p className="mt-3 text-ink-2">A card that somebody exchanges on its way has other words.</p>
      </Card>
    </>
  )
}

function Answer({ onBack }: { onBack: () => void }) {
  const sign = useSigning()
  const navigate = useNavigate()
  const [address, setAddress] = useState('')
  const [anchor, setAnchor] = useState('')
  const [file, setFile] = useState('')
  const [problem, setProblem] = useState<string>()
  const choose = async (chosen: File | undefined) => {
    if (!chosen) return
    const good = chosen.size <= FILE_BYTES_MAX
    setProblem(good ? undefined : 'This is no first bundle.')
    setFile(good ? base64(await chosen.text()) : '')
  }
  const nowhere = !/^\S+:\d{1,5}$/.test(address.trim()) && 'Say where the server is, like 10.0.0.5:8443.'
  const noFile = (file === '' && 'Choose the file.') || nowhere
  const noAnchor = (!/^bz1-\S+$/.test(anchor.trim()) && 'Give the whole anchor: it begins with bz1-.') || nowhere
  const countersign = (event: FormEvent) => {
    event.preventDefault()
    if (!noFile) sign({ kind: 'countersign', body: { file, address: address.trim() } })
  }
  const join = (event: FormEvent) => {
    event.preventDefault()
    if (!noAnchor) sign({ kind: 'join', body: { anchor: anchor.trim(), address: address.trim() } }, () => void navigate({ to: '/' }))
  }
  return (
    <>
      <StepHead title={steps[2]}>The address of the server, and one of two things: a file to sign while you found it together, or the anchor of an organisation that names you already.</StepHead>
      <Field className="max-w-90" label="Address of the server">
        {(ids) => <Input {...ids} maxLength={255} onChange={(event) => setAddress(event.target.value)} placeholder="10.0.0.5:8443" value={address} />}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Card title="We found it together">
          <form className="flex flex-col items-start gap-3" onSubmit={countersign}>
            <Field className="w-full" error={problem} hint="genesis.json, from the founder’s console" label="File">
              {(ids) => <FileInput {...ids} accept=".json,application/json" onChange={(event) => void choose(event.target.files?.[0])} />}
            </Field>
            <Button disabledReason={noFile} icon="key" look="primary" type="submit">
              Read and sign
            </Button>
          </form>
        </Card>
        <Card title="It exists, and names me">
          <form className="flex flex-col items-start gap-3" onSubmit={join}>
            <Field className="w-full" hint="From somebody in it, by a way you trust: it must be right." label="Anchor">
              {(ids) => <Input {...ids} className="font-mono" maxLength={100} onChange={(event) => setAnchor(event.target.value)} placeholder="bz1-…" value={anchor} />}
            </Field>
            <Button disabledReason={noAnchor} icon="key" type="submit">
              Enter
            </Button>
          </form>
        </Card>
      </div>
      <StepFoot>
        <Button onClick={onBack} size="lg">
          Back
        </Button>
      </StepFoot>
    </>
  )
}
