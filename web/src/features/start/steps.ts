import type { EntryRow, JobRow, LogView, Me, Overview, Trust } from '~/api/schema'

export type Step = { title: string; how: string; commands: string[]; done: boolean; act?: 'passkey' | 'enrol' }

type Known = {
  me: Me
  overview: Overview | undefined
  trust: Trust | undefined
  jobs: readonly JobRow[] | undefined
  logs: readonly LogView[] | undefined
  /** The newest entries of the control log. */
  control: readonly EntryRow[] | undefined
}

/** The first ten minutes, judged by what there is: a step is done when its result can be seen, whoever did it. */
export function stepsOf({ me, overview, trust, jobs, logs, control }: Known): Step[] {
  const people = trust?.operators ?? []
  const cosigned = Math.max(0, ...(logs ?? []).map((log) => log.witnesses.filter((witness) => witness.at != null).length))
  return [
    {
      title: 'Each person makes a key and a card',
      how: 'A passkey, or a security key; a file for a lab. Everyone but the first sends the card with the public key.',
      act: 'passkey',
      commands: ['bartizan key new', 'bartizan card --id bob --name "Bob Example" > bob.card.json'],
      done: me.key != null || me.organisation != null,
    },
    {
      title: 'Found the organisation, or join one',
      how: 'Compare the eight words by telephone before you sign: they stand for every byte of the bundle.',
      commands: ['bartizan init --id alice --name "Alice Example" --with bob.card.json --server server-identity.json --threshold 2 --out genesis.json', 'bartizan join --anchor bz1-… --server 10.0.0.5:8443'],
      done: me.organisation != null,
    },
    {
      title: 'Two people, so that one stolen key is not enough',
      how: 'Classes change and fleet need a second person. Add one with their card.',
      commands: ['bartizan operator add carol.card.json'],
      done: people.length >= 2,
    },
    {
      title: 'A recovery key on paper',
      how: 'Without it, losing all keys loses the fleet. Print both sheets and keep them in two places.',
      commands: ['bartizan recovery new'],
      done: (trust?.recovery_keys.length ?? 0) > 0,
    },
    {
      title: 'Two witnesses that keep watching the logs',
      how: 'Leave it running on at least two computers. Classes change and fleet wait for both.',
      commands: ['bartizan witness'],
      done: cosigned >= 2,
    },
    {
      title: 'Enrol the first endpoints',
      how: 'You sign whose they are, how many may come and until when; the command that comes out goes to each of them, as root.',
      act: 'enrol',
      commands: [],
      done: (overview?.endpoints.total ?? 0) > 0,
    },
    {
      title: 'Run the first script',
      how: 'Press g r. On a few endpoints it needs nobody but you.',
      commands: [],
      done: (jobs ?? []).length > 0,
    },
    {
      title: 'Freeze drill: stop everything, and go on',
      how: 'Press !, freeze for an hour, watch the confirmations count up, thaw with the other person. Then you know that it works.',
      commands: [],
      done: (control ?? []).some((entry) => entry.kind === 'thaw'),
    },
  ]
}
