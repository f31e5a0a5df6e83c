export function Kbd({ keys }: { keys: string }) {
  return (
    <span className="inline-flex gap-0.5">
      {keys.split(' ').map((key) => (
        <kbd
          className="inline-grid h-4.5 min-w-4.5 place-items-center rounded-sm border border-line bg-sunken px-1 font-sans text-[11px] text-ink-2"
          key={key}
        >
          {key}
        </kbd>
      ))}
    </span>
  )
}
