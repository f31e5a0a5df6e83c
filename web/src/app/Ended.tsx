import { Command } from '~/ui/Copy'
import { Mark } from '~/ui/Icon'

const reasons = {
  none: ['Open the console from your terminal', 'This page has no session: it was opened or reloaded without the link that the console prints.'],
  refused: ['The session has ended', 'The console was started anew, or this page was idle for too long.'],
  expired: ['The session has ended', 'A session holds for twelve hours.'],
  used: ['This link was used already', 'A link opens one page, once. If it was not you who used it, end the console and look at who can read your screen.'],
  left: ['You have left', 'The session of this page is over.'],
} as const

/** Nothing can be shown or signed without a session; this says how to get one. */
export function Ended({ why }: { why: keyof typeof reasons }) {
  const [title, text] = reasons[why]
  return (
    <main className="grid h-full place-items-center overflow-y-auto p-4">
      <div className="flex w-full max-w-110 flex-col gap-3 rounded-lg border border-line bg-panel p-6">
        <Mark size={32} />
        <h1 className="mt-1 text-xl font-semibold tracking-[-0.01em]">{title}</h1>
        <p className="text-ink-2">{text}</p>
        <p className="text-ink-2">
          The token of a session is kept in the page only, so that no other program on this computer finds it. That is why reloading ends it. Press Enter in the terminal where the console runs and it prints a new link, or start it again:
        </p>
        <Command label="command" text="bartizan console" />
      </div>
    </main>
  )
}
