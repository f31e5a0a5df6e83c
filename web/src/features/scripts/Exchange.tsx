import { useMutation, useQueryClient } from '@tanstack/react-query'

import { problemOf } from '~/api/client'
import { importScripts, scriptsQuery } from '~/api/queries'
import { plural } from '~/lib/format'
import { Button } from '~/ui/Button'
import { Command } from '~/ui/Copy'
import { Dialog } from '~/ui/Dialog'
import { Field, FileInput } from '~/ui/Field'
import { ErrorBox, Notice } from '~/ui/States'
import { Untrusted } from '~/ui/Untrusted'

/** Scripts come from a folder and go into one, so that they can live in git. */
export function Exchange({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient()
  const take = useMutation({
    mutationFn: async (chosen: File[]) => {
      const wanted = chosen.filter((file) => /^[^.].*\.(sh|bash|py|json)$/.test(file.name))
      return importScripts({ files: await Promise.all(wanted.map(async (file) => ({ name: file.name, text: await file.text() }))) })
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: scriptsQuery().queryKey }),
  })
  const done = take.data
  return (
    <Dialog footer={<Button look="primary" onClick={onClose}>Done</Button>} onClose={onClose} open title="Import and export">
      <div className="flex flex-col gap-4">
        {take.error && <ErrorBox problem={problemOf(take.error)} />}
        <Field hint="NAME.sh, NAME.bash or NAME.py; NAME.json beside it says its title, parameters and limits. Nothing is signed or run by that." label="Take in files">
          {(ids) => <FileInput {...ids} accept=".sh,.bash,.py,.json" multiple onChange={(event) => event.target.files && take.mutate([...event.target.files])} />}
        </Field>
        {done && (
          <div aria-live="polite" className="flex flex-col gap-2">
            <Notice icon="check" tone={done.refused.length > 0 ? 'warn' : 'ok'}>
              {plural(done.new.length, 'new script')}, {done.changed.length} changed, {done.same} as they were.
            </Notice>
            {done.refused.map((file) => (
              <p className="text-bad" key={file.name}>
                <Untrusted text={file.name} />: <Untrusted className="whitespace-normal!" text={file.reason} />
              </p>
            ))}
          </div>
        )}
        <section className="flex flex-col gap-2">
          <h3 className="font-semibold">A whole folder, on the command line</h3>
          <p className="text-ink-2">The folder has plain files and can be a git repository: its history says who changed what, and the jobs log says what people signed.</p>
          <Command label="command that exports" text="bartizan scripts export ~/our-scripts" />
          <Command label="command that imports" text="bartizan scripts import ~/our-scripts" />
        </section>
      </div>
    </Dialog>
  )
}
