import type { Compose } from '~/api/schema'

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
}

/** What still lacks, as the reason why it cannot be signed. */
export function missing(draft: Draft): string | undefined {
  if (draft.on.length === 0) return 'Choose at least one endpoint, site or tenant.'
  if (draft.title.trim() === '') return 'Give it a title: the others see it in their list.'
  const lines = draft.script.split('\n').filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'))
  if (lines.every((line) => /^set\s+-\w+$/.test(line.trim()))) return 'The script does nothing yet.'
  return undefined
}

/** As the API takes it: what is empty is left to the operator process. */
export function composeOf(draft: Draft): Compose {
  const args = draft.args.split('\n').filter((arg) => arg !== '')
  return {
    on: draft.on,
    script: draft.script,
    interpreter: draft.interpreter,
    title: draft.title.trim(),
    ticket: draft.ticket.trim(),
    reason: draft.reason.trim(),
    args,
    env: [],
    timeout_s: draft.timeoutS,
    expires_s: draft.expiresS,
    destructive: draft.destructive,
    ...(draft.klass === '' ? {} : { class: draft.klass }),
    ...(draft.runAs.trim() === '' ? {} : { run_as: draft.runAs.trim() }),
    ...(draft.stages.trim() === '' ? {} : { stages: draft.stages.trim() }),
    after: [],
  }
}
