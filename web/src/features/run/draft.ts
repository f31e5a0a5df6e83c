import type { Compose, LibraryScript, PreviewRequest, ScriptParameter } from '~/api/schema'

import { type Standing, emptyStanding, missingOfStanding, triggerOf } from './standing'

/** What is in the form. */
export type Draft = {
  on: string[]
  title: string
  interpreter: 'sh' | 'bash' | 'python3'
  script: string
  destructive: boolean
  reason: string
  ticket: string
  expiresS: number
  timeoutS: number
  klass: '' | 'routine' | 'change' | 'fleet'
  stages: string
  runAs: string
  args: string
  /** Variables that are filled in. */
  env: (ScriptParameter & { value: string })[]
  /** What it was taken from, while its text is that one. */
  from: { name: string; sha256: string; size: number; text: string } | undefined
  /** Whether endpoints keep it and run it again. */
  stands: boolean
  standing: Standing
}

export const emptyDraft: Draft = {
  on: [],
  title: '',
  interpreter: 'sh',
  script: '#!/bin/sh\nset -eu\n',
  destructive: false,
  reason: '',
  ticket: '',
  expiresS: 86_400,
  timeoutS: 600,
  klass: '',
  stages: '',
  runAs: '',
  args: '',
  env: [],
  from: undefined,
  stands: false,
  standing: emptyStanding,
}

/** What still lacks, as the reason why it cannot be signed. */
export function missing(draft: Draft): string | undefined {
  if (draft.on.length === 0) return 'Choose at least one endpoint, site or tenant.'
  const standing = draft.stands ? missingOfStanding(draft.standing) : undefined
  if (standing) return standing
  if (draft.title.trim() === '') return 'Give it a title: the others see it in their list.'
  const lines = draft.script.split('\n').filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'))
  if (lines.every((line) => /^set\s+-\w+$/.test(line.trim()))) return 'The script does nothing yet.'
  return undefined
}

/** A script of the library in the form. */
export function draftOf({ about }: LibraryScript, version: { sha256: string; size: number }, text: string): Partial<Draft> {
  return {
    title: about.title,
    interpreter: about.interpreter,
    script: text,
    destructive: about.destructive ?? false,
    timeoutS: about.timeout_s,
    runAs: about.run_as ?? '',
    args: '',
    env: (about.parameters ?? []).map((one) => ({ ...one, value: one.value ?? '' })),
    from: { name: about.name, sha256: version.sha256, size: version.size, text },
  }
}

const envOf = (draft: Draft) => draft.env.filter((one) => one.value !== '').map(({ name, value }) => ({ name, value }))
const argsOf = (draft: Draft) => draft.args.split('\n').filter((arg) => arg !== '')

/** What is asked for before anything is signed; a text of the library may have been reviewed already. */
export function previewOf(draft: Draft): PreviewRequest {
  const { from } = draft
  return {
    on: draft.on,
    destructive: draft.destructive,
    ...(draft.klass === '' ? {} : { class: draft.klass }),
    ...(draft.stands && missingOfStanding(draft.standing) === undefined ? { trigger: triggerOf(draft.standing) } : {}),
    ...(from && from.text === draft.script
      ? { script: { sha256: from.sha256, size: from.size, interpreter: draft.interpreter, args: argsOf(draft), env: envOf(draft), ...(draft.runAs.trim() === '' ? {} : { run_as: draft.runAs.trim() }) } }
      : {}),
  }
}

/** As the API takes it: what is empty is left to the operator process. */
export function composeOf(draft: Draft): Compose {
  return {
    on: draft.on,
    script: draft.script,
    interpreter: draft.interpreter,
    title: draft.title.trim(),
    ticket: draft.ticket.trim(),
    reason: draft.reason.trim(),
    args: argsOf(draft),
    env: envOf(draft),
    timeout_s: draft.timeoutS,
    expires_s: draft.expiresS,
    destructive: draft.destructive,
    ...(draft.klass === '' ? {} : { class: draft.klass }),
    ...(draft.runAs.trim() === '' ? {} : { run_as: draft.runAs.trim() }),
    ...(draft.stages.trim() === '' ? {} : { stages: draft.stages.trim() }),
    after: [],
    ...(draft.stands ? { trigger: triggerOf(draft.standing) } : {}),
  }
}
