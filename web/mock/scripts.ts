import type { LibraryScript, ScriptAbout, ScriptReview } from '~/api/schema'

import { absent, Refused } from './handlers'
import { differenceOf } from './signing'
import type { Handlers } from './transport'
import type { World } from './world'

/** A kept text; the newest stands first. */
function keep(world: World, about: ScriptAbout, text: string, at: number, reviews: ScriptReview[] = []): void {
  const known = world.scripts.find((one) => one.about.name === about.name)
  const found = [...world.texts].find(([, other]) => other === text)?.[0]
  const sha256 = found ?? world.random.hex(32)
  world.texts.set(sha256, text)
  const version = { sha256, size: new TextEncoder().encode(text).length, at, reviews }
  const versions = known?.versions[0]?.sha256 === sha256 ? known.versions : [version, ...(known?.versions ?? []).filter((one) => one.sha256 !== sha256)]
  const script: LibraryScript = { about, versions }
  world.scripts = [...world.scripts.filter((one) => one !== known), script].toSorted((a, b) => a.about.name.localeCompare(b.about.name))
}

export function fillScripts(world: World, now: number): void {
  const about = (name: string, title: string, more: Partial<ScriptAbout> = {}): ScriptAbout => ({ name, title, description: '', interpreter: 'sh', timeout_s: 600, destructive: false, parameters: [], ...more })
  const review = (title: string, at: number, env: string[] = []): ScriptReview => ({ job: world.random.id('st'), log_index: 3, title, at, people: ['Alice Example', 'Bob Example'], interpreter: 'sh', args: [], env, destructive: false })
  const clean = about('clear-temporary-files', 'Clear temporary files', { description: 'Deletes what lies in /var/tmp for longer than so many days.\nWrites what it deleted to the job\u2019s output.', destructive: true, timeout_s: 900, parameters: [{ name: 'DAYS', about: 'How old a file must be', value: '14' }] })
  keep(world, clean, '#!/bin/sh\nset -eu\nfind /var/tmp -xdev -mtime +14 -delete\n', now - 40 * 86_400, [review(clean.title, now - 39 * 86_400)])
  keep(world, clean, '#!/bin/sh\nset -eu\nfind /var/tmp -xdev -type f -mtime "+$DAYS" -print -delete\n', now - 6 * 86_400, [review(clean.title, now - 5 * 86_400, ['DAYS=14'])])
  keep(world, clean, '#!/bin/sh\nset -eu\n: "${DAYS:?}"\nfind /var/tmp -xdev -type f -mtime "+$DAYS" -print -delete\n', now - 7_200)
  const disk = about('collect-disk-health', 'Collect disk health', { description: 'Asks every disk how it is. Changes nothing.' })
  keep(world, disk, '#!/bin/sh\nset -eu\nsmartctl --scan | while read -r disk _; do smartctl -H "$disk"; done\n', now - 20 * 86_400, [review(disk.title, now - 19 * 86_400)])
  keep(world, about('restart-print-spooler', 'Restart the print spooler', { interpreter: 'bash', timeout_s: 60 }), '#!/bin/bash\nset -euo pipefail\nsystemctl restart cups\n', now - 3 * 86_400)
}

export function scriptHandlers(world: World): Pick<Handlers, '/api/v1/scripts' | '/api/v1/scripts/forget' | '/api/v1/scripts/import' | '/api/v1/scripts/{name}/versions/{sha256}'> {
  const list = () => {
    const away = world.standing === 'unreachable'
    return {
      scripts: away ? world.scripts.map((one) => ({ ...one, versions: one.versions.map((version) => ({ ...version, reviews: [] })) })) : world.scripts,
      ...(away ? { unknown: { code: 'server.unreachable', message: 'the server at 10.0.0.5:8443 does not answer', next: 'check the network' } } : {}),
    }
  }
  return {
    '/api/v1/scripts': {
      get: list,
      post: ({ body }) => {
        keep(world, body.about, body.text, world.now())
        return list()
      },
    },
    '/api/v1/scripts/forget': {
      post: ({ body }) => {
        world.scripts = world.scripts.filter((one) => one.about.name !== body.name)
        return list()
      },
    },
    '/api/v1/scripts/import': {
      post: ({ body }) => {
        const scripts = body.files.filter((file) => /\.(sh|bash|py)$/.test(file.name))
        const good = scripts.filter((file) => /^[a-z0-9][a-z0-9-]*\.\w+$/.test(file.name))
        for (const file of good) {
          const name = file.name.replace(/\.\w+$/, '')
          keep(world, { name, title: name.replaceAll('-', ' '), interpreter: 'sh', timeout_s: 600 }, file.text, world.now())
        }
        const refused = scripts.filter((file) => !good.includes(file)).map((file) => ({ name: file.name, reason: 'a script\u2019s name is 1 to 64 small letters, digits and dashes' }))
        return { new: good.map((file) => file.name.replace(/\.\w+$/, '')), changed: [], same: 0, refused }
      },
    },
    '/api/v1/scripts/{name}/versions/{sha256}': {
      get: ({ path, query }) => {
        const script = world.scripts.find((one) => one.about.name === path.name)
        const text = world.texts.get(path.sha256)
        if (!script || text === undefined) throw absent('version')
        const before = query.since ? script.versions.find((one) => one.sha256 === query.since) : undefined
        if (query.since && !before) throw new Refused(400, 'usage', 'there is no such version', 'choose one of the list')
        return { sha256: path.sha256, text, ...(before ? { difference: differenceOf(world.texts.get(before.sha256) ?? '', text, before.sha256, before.at) } : {}) }
      },
    },
  }
}
