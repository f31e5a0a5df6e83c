import type { EntryRow, JobRow, LogView, Me, Overview, Trust } from '~/api/schema'

export type Step = { title: string; how: string; commands: string[]; done: boolean; act?: 'person' | 'both' | 'enrol' | 'run' | 'freeze' }

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
      title: 'An organisation',
      how: 'Found one, or join one. Compare the eight words by telephone before you sign: they stand for every byte of the bundle.',
      commands: [],
      done: me.organisation != null,
    },
    {
      title: 'A second person, so that one stolen key is not enough',
      how: 'Classes change and fleet need another person. They open a console of their own, join with it, and send you their card.',
      act: 'person',
      commands: [],
      done: people.length >= 2,
    },
    {
      title: 'Two people change who may do what',
      how: 'Whoever founded alone still can alone. You propose the change, the other approves it.',
      act: 'both',
      commands: [],
      done: (trust?.root_threshold ?? 0) >= 2,
    },
    {
      title: 'A recovery key on paper',
      how: 'Without it, losing all keys loses the fleet. Print both sheets, keep them in two places, and name them in the bundle.',
      commands: ['bartizan recovery new --dir paper', 'bartizan recovery replace paper/recovery.json'],
      done: (trust?.recovery_keys.length ?? 0) > 0,
    },
    {
      title: 'Two witnesses that keep watching the logs',
      how: 'Leave it running on at least two computers. Classes change and fleet wait for both.',
      commands: ['bartizan witness'],
      done: cosigned >= 2,
    },
    {
      title: 'The first endpoint',
      how: 'You sign whose they are, how many may come and until when; the command that comes out goes to each of them, as root.',
      act: 'enrol',
      commands: [],
      done: (overview?.endpoints.total ?? 0) > 0,
    },
    {
      title: 'The first job',
      how: 'Write a script. On a few endpoints it needs nobody but you.',
      act: 'run',
      commands: [],
      done: (jobs ?? []).length > 0,
    },
    {
      title: 'A freeze drill: stop everything, and go on',
      how: 'Freeze for an hour, watch the confirmations count up, and thaw with the other person. Then you know that it works.',
      act: 'freeze',
      commands: [],
      done: (control ?? []).some((entry) => entry.kind === 'thaw'),
    },
  ]
}
