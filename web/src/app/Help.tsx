import { Dialog } from '~/ui/Dialog'
import { Kbd } from '~/ui/Kbd'

const groups: [string, [string, string][]][] = [
  ['Everywhere', [['Ctrl K', 'Find or do anything'], ['!', 'Freeze'], ['/', 'Search the list'], ['?', 'These keys'], ['Esc', 'Close what is on top']]],
  ['Go to', [['g s', 'Start'], ['g f', 'Fleet'], ['g a', 'Approvals'], ['g r', 'Run'], ['g c', 'Scripts'], ['g j', 'Jobs'], ['g o', 'Standing orders'], ['g z', 'Freezes'], ['g t', 'Trust'], ['g l', 'Log'], ['g u', 'Audit'], ['g ,', 'Settings']]],
  ['In a list', [['j', 'Next row, as the arrow down'], ['k', 'Row before, as the arrow up'], ['x', 'Choose, as the space bar; with Shift everything since the last'], ['Enter', 'Open'], ['r', 'Run a script on what is chosen']]],
  ['Fleet', [['v', 'Save the view under a name'], ['c', 'Choose columns'], ['e', 'Export all rows as CSV']]],
  ['Scripts', [['n', 'Write a new one'], ['e', 'Edit'], ['r', 'Run it'], ['Ctrl S', 'Keep what is written']]],
  ['Standing orders', [['n', 'Write one']]],
  ['Signing', [['a', 'Open the sheet of what waits'], ['x', 'Choose it, to approve several together'], ['b', 'Approve what is chosen, one by one'], ['Ctrl Enter', 'Sign what is shown']]],
]

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog description="Single keys can be switched off in the settings." onClose={onClose} open title="Keys">
      {/* There are more keys than fit on a small screen: whoever has no mouse scrolls them from here. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div aria-label="Keys" className="grid gap-5 outline-offset-4 sm:grid-cols-2" role="region" tabIndex={0}>
        {groups.map(([name, keys]) => (
          <section key={name}>
            <h3 className="label mb-1.5">{name}</h3>
            <dl className="flex flex-col gap-1">
              {keys.map(([key, does]) => (
                <div className="flex gap-3" key={key}>
                  <dt className="w-20 shrink-0">
                    <Kbd keys={key} />
                  </dt>
                  <dd className="text-ink-2">{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
