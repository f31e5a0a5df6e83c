import type { LibraryScript, ScriptToKeep } from '~/api/schema'

/** What is in the form of a script. */
export type ScriptForm = {
  name: string
  title: string
  description: string
  interpreter: 'sh' | 'bash' | 'python3'
  timeoutS: number
  destructive: boolean
  runAs: string
  parameters: { name: string; about: string; value: string }[]
  text: string
}

export const emptyScript: ScriptForm = {
  name: '', title: '', description: '', interpreter: 'sh', timeoutS: 600, destructive: false, runAs: '', parameters: [], text: '#!/bin/sh\nset -eu\n',
}

export function formOf({ about }: LibraryScript, text: string): ScriptForm {
  return {
    name: about.name, title: about.title, description: about.description ?? '', interpreter: about.interpreter, timeoutS: about.timeout_s, destructive: about.destructive ?? false, runAs: about.run_as ?? '',
    parameters: (about.parameters ?? []).map((one) => ({ name: one.name, about: one.about ?? '', value: one.value ?? '' })),
    text,
  }
}

/** As the operator process keeps it; a new one is called by its title. */
export function toKeep(form: ScriptForm): ScriptToKeep {
  return {
    about: {
      name: form.name === '' ? nameFor(form.title) : form.name,
      title: form.title.trim(),
      description: form.description.trim(),
      interpreter: form.interpreter,
      timeout_s: form.timeoutS,
      destructive: form.destructive,
      run_as: form.runAs.trim() === '' ? null : form.runAs.trim(),
      parameters: form.parameters.filter((one) => one.name.trim() !== '').map((one) => ({ ...one, name: one.name.trim() })),
    },
    text: form.text,
  }
}

/** "Clear the cache" is clear-the-cache. */
export function nameFor(title: string): string {
  const plain = title.normalize('NFKD').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return plain.replace(/^-+/, '').slice(0, 64).replace(/-+$/, '')
}

/** Why it cannot be kept yet. */
export function missingOf(form: ScriptForm): string | undefined {
  if (form.title.trim() === '') return 'Give it a title: its jobs are called by it.'
  if (form.name === '' && nameFor(form.title) === '') return 'Its title has no letters or digits that a file can be called by.'
  if (form.text.trim() === '') return 'There is no text yet.'
  const bad = form.parameters.find((one) => one.name.trim() !== '' && !/^[A-Za-z_]\w*$/.test(one.name.trim()))
  if (bad) return 'A parameter is called like a variable: letters, digits and underscores.'
  return undefined
}
