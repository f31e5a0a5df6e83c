/** The eight words of a digest, to be compared by telephone: numbered, large, in the order they are read. */
export function Words({ words, size = 'lg', label = 'Words of the digest' }: { words: string; size?: 'lg' | 'sm'; label?: string }) {
  const list = words.split(/[\s-]+/).filter(Boolean)
  return (
    <ol aria-label={label} className="grid grid-cols-2 gap-1.5 sm:grid-cols-4">
      {list.map((word, at) => (
        <li
          className={`flex items-baseline gap-2 rounded-md border border-line bg-panel font-mono ${size === 'lg' ? 'px-2.5 py-2 text-lg' : 'px-2 py-1 text-base'}`}
          key={at}
        >
          <span aria-hidden="true" className="text-xs text-ink-3">
            {at + 1}
          </span>
          <span className="font-medium">{word}</span>
        </li>
      ))}
    </ol>
  )
}
