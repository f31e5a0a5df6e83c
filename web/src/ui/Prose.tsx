import { Untrusted } from './Untrusted'

/** A sentence of somebody else in which `backticks` mean what is to be typed. */
export function Prose({ text }: { text: string }) {
  return text.split('`').map((part, at) =>
    at % 2 === 1 ? (
      <code className="rounded-sm bg-sunken px-1 py-px" key={at}>
        <Untrusted className="whitespace-pre-wrap!" text={part} />
      </code>
    ) : (
      <Untrusted className="whitespace-normal!" key={at} text={part} />
    ),
  )
}
