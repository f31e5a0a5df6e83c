import type { FoundingWaits, PaperSheet } from '~/api/schema'

import { Refused } from './handlers'
import type { MakeSheet } from './signing'
import type { Handlers } from './transport'
import { type World, alice, bob } from './world'

const address = '10.0.0.5:8443'
/** Looks at a founding that waits, until the other person has signed. */
const looksUntilSigned = 2

export type Founding = { waiting?: FoundingWaits; draft?: { anchor: string; words: string; people: number; left: Map<PaperSheet['kind'], string[]> }; looks: number }

type Routes = Pick<
  Handlers,
  | '/api/v1/founding' | '/api/v1/founding/card' | '/api/v1/founding/person' | '/api/v1/founding/draft' | '/api/v1/founding/check' | '/api/v1/founding/publish' | '/api/v1/founding/forget'
  | '/api/v1/sheets/genesis' | '/api/v1/sheets/countersign' | '/api/v1/sheets/join' | '/api/v1/sheets/person' | '/api/v1/sheets/threshold'
>

export function foundingHandlers(world: World, sheet: MakeSheet): Routes {
  const state = () => {
    if (world.standing !== 'no_organisation') throw new Refused(400, 'founding.over', 'this console belongs to an organisation already', 'reload the page')
    const { founding } = world
    founding.looks += 1
    if (founding.waiting && !founding.waiting.complete && founding.looks > looksUntilSigned) founding.waiting = published(founding.waiting)
    return {
      origin: world.origin,
      signs_by_passkey: true,
      keys: world.passkeys.slice(0, 2).map((one) => ({ place: 'passkey' as const, fingerprint: one.fingerprint, key_type: 'sk-ecdsa-sha2-nistp256@openssh.com', synced: one.synced })),
      ...(founding.waiting ? { waiting: founding.waiting } : {}),
    }
  }
  const genesisText = (people: number) => `BUNDLE  version 1\nserver  rmm.example.org:443\npeople  ${people}\nroot    ${Math.min(people, 2)} of them change it\n`
  return {
    '/api/v1/sheets/threshold': {
      post: ({ body }) => sheet({ kind: 'threshold', body }, { id: world.random.id('st'), kind: 'bundle', role: 'root', words: world.random.words(), text: `BUNDLE  version 3\nroot    ${body.people} of them change it\n`, question: `Let ${body.people} people change who may do what?`, who_else: `${body.people} root operators in all` }),
    },
    '/api/v1/founding': { get: state },
    '/api/v1/founding/card': { post: ({ body }) => ({ card: JSON.stringify({ id: body.id, name: body.name }), words: world.random.words() }) },
    '/api/v1/founding/person': {
      post: ({ body }) => {
        const card: unknown = parsed(body.card)
        if (typeof card !== 'object' || card === null || !('id' in card) || !('name' in card)) throw new Refused(400, 'usage', 'this is no card', 'choose the file that the person’s console made')
        if (body.words.includes('wrong')) throw new Refused(422, 'refused', `these are not the words of the card of ${String(card.id)}`, 'nothing was signed; if the person reads the words from their own screen, the card was changed on its way')
        return { id: String(card.id), name: String(card.name), fingerprints: [world.random.fingerprint(), world.random.fingerprint()] }
      },
    },
    '/api/v1/founding/draft': {
      post: ({ body }) => {
        if (parsed(body.identity) === undefined) throw new Refused(400, 'usage', 'this is no server’s identity', 'paste all of what `bartizan-server identity` prints on the server')
        const [anchor, words] = ['bz1-k7v3n5q2w4x6z8a3c5e7g2j4m6p8r3t5v7y2b4d6f8h3', world.random.words()]
        const sheets = body.recovery ? (['recovery', 'spare_witness'] as const).map((kind) => paper(world, kind, anchor, words)) : []
        const left = new Map(sheets.map((one) => [one.kind, one.asked.map((at) => one.passphrase.split(' ')[at - 1] ?? '')]))
        world.founding = { draft: { anchor, words, people: body.people.length + 1, left }, looks: 0 }
        return { anchor, words, sheets, warnings: body.recovery ? [] : ['No recovery key. Whoever loses a person cannot replace them; see `bartizan recovery new`.'] }
      },
    },
    '/api/v1/founding/check': {
      post: ({ body }) => {
        const left = world.founding.draft?.left
        if (left?.get(body.kind)?.join(' ') !== body.words.join(' ')) {
          throw new Refused(400, 'founding.other_words', 'these are not the words of the passphrase', 'look at what you wrote down; where it is lost, begin again: that makes new keys')
        }
        left?.delete(body.kind)
        return { left: [...(left?.keys() ?? [])] }
      },
    },
    '/api/v1/founding/publish': { post: state },
    '/api/v1/founding/forget': {
      post: () => {
        world.founding = { looks: 0 }
        return state()
      },
    },
    '/api/v1/sheets/genesis': {
      post: () => {
        const { draft } = world.founding
        if (!draft || draft.left.size > 0) throw new Refused(400, 'error', 'nobody has shown that the passphrases are written down', 'type the words that are asked for first')
        return sheet({ kind: 'genesis' }, { id: world.random.id('st'), kind: 'bundle', role: 'root', words: draft.words, text: genesisText(draft.people), question: 'Found this organisation?', who_else: draft.people === 1 ? 'nobody' : `2 of the ${draft.people} people in it sign` })
      },
    },
    '/api/v1/sheets/countersign': {
      post: ({ body }) => sheet({ kind: 'countersign', body }, { id: world.random.id('st'), kind: 'bundle', role: 'root', words: world.random.words(), text: genesisText(2), question: 'Compare the words with the founder. Sign as well?', signatures: [{ ...alice, role: 'root' }], who_else: '2 of the 2 people in it sign' }),
    },
    '/api/v1/sheets/join': {
      post: ({ body }) => sheet({ kind: 'join', body }, { id: world.random.id('st'), kind: 'login', role: 'login', words: world.random.words(), text: `LOGIN\nserver  ${body.address}\nuntil   in 12 h\n`, question: 'Enter the organisation?' }),
    },
    '/api/v1/sheets/person': {
      post: ({ body }) => sheet({ kind: 'person', body }, { id: world.random.id('st'), kind: 'bundle', role: 'root', words: world.random.words(), text: 'BUNDLE  version 3\npeople  one more\n', question: 'Add this person?', who_else: '2 root operators in all' }),
    },
  }
}

/** What becomes of a first bundle that was signed here. */
export function founded(words: string, others: { people: number; signed: boolean }): FoundingWaits {
  const signed = { ...bob, role: 'root' }
  const waits: FoundingWaits = {
    anchor: 'bz1-k7v3n5q2w4x6z8a3c5e7g2j4m6p8r3t5v7y2b4d6f8h3', words, address, file: btoa('{"payload":""}'), needed: Math.min(others.people, 2), signatures: others.signed ? [{ ...alice, role: 'root' }, signed] : [signed], complete: false, published: false,
  }
  return waits.signatures.length >= waits.needed ? { ...waits, complete: true, published: true } : waits
}

function published(waiting: FoundingWaits): FoundingWaits {
  return { ...waiting, signatures: [...waiting.signatures, { ...alice, role: 'root' }], complete: true, published: true }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function paper(world: World, kind: PaperSheet['kind'], anchor: string, words: string): PaperSheet {
  const recovery = kind === 'recovery'
  const line = () => Array.from({ length: 64 }, () => world.random.pick([...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'])).join('')
  return {
    kind,
    title: recovery ? 'Bartizan recovery key' : 'Bartizan spare witness key',
    purpose: recovery
      ? 'Whoever has this sheet and its passphrase can name new people for the organisation below. It takes 72 hours unless your bundle says otherwise, every console sees it, and one operator who is still there can stop it. It can change nothing else.'
      : 'Whoever has this sheet and its passphrase can co-sign the control log, so that endpoints follow it when every operator’s console is gone. It signs no statement.',
    facts: [{ name: 'organisation', value: anchor }, { name: 'its words', value: words }, { name: 'public key', value: world.random.fingerprint() }, { name: 'its words', value: world.random.words() }, { name: 'printed, by', value: '_'.repeat(40) }, { name: 'kept at', value: '_'.repeat(40) }],
    armor: ['-----BEGIN AGE ENCRYPTED FILE-----', ...Array.from({ length: 9 }, line), '-----END AGE ENCRYPTED FILE-----'].join('\n'),
    code: code(world),
    use_it: `Photograph or type the block between and including the two lines of dashes into the file ${recovery ? 'recovery' : 'spare-witness'}.age. \`bartizan recover\` takes that file.`,
    cases: [{ name: 'Everybody gone', value: 'new people: `bartizan recover propose --with A.card B.card`, both sign, `bartizan recover send`.' }],
    passphrase: world.random.words(),
    asked: [3, 6],
  }
}

/** Looks like a code, and is none. */
function code(world: World): string {
  let path = ''
  for (let y = 0; y < 41; y += 1) for (let x = 0; x < 41; x += 1) if (corner(x, y) ?? world.random.next() < 0.48) path += `M${x + 2} ${y + 2}h1v1h-1z`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 45 45"><rect width="45" height="45" fill="#fff"/><path d="${path}"/></svg>`
}

function corner(x: number, y: number): boolean | undefined {
  const [a, b] = [x > 33 ? 40 - x : x, y > 33 ? 40 - y : y]
  if (a > 7 || b > 7 || (x > 33 && y > 33)) return undefined
  const ring = Math.max(Math.abs(a - 3), Math.abs(b - 3))
  return ring === 3 || ring <= 1
}
