import type { ReactNode } from 'react'

import { cx } from './cx'

export type Head = { name: string; className?: string }

/** A short table; long ones are virtual. It scrolls sideways by itself, so that a page never does. */
export function Table({ label, heads, children }: { label: string; heads: Head[]; children: ReactNode }) {
  return (
    // A region that scrolls must be reachable by the keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div aria-label={label} className="overflow-x-auto" role="region" tabIndex={0}>
      <table className="w-full border-collapse text-left">
        <thead>
          <tr>
            {heads.map((head) => (
              <th className={cx('label h-8 border-b border-line px-4 whitespace-nowrap', head.className)} key={head.name} scope="col">
                {head.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="[&_td]:border-b [&_td]:border-line/60 [&_td]:px-4 [&_td]:py-1.5 [&_td]:align-top [&_tr:last-child_td]:border-b-0">
          {children}
        </tbody>
      </table>
    </div>
  )
}
