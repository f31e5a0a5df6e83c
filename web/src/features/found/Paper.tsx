import { createPortal } from 'react-dom'

import type { PaperSheet } from '~/api/schema'
import { Prose } from '~/ui/Prose'

/** The picture of the code: drawn by the operator process, shown as a picture, sent nowhere. */
function Code({ sheet, className }: { sheet: PaperSheet; className: string }) {
  return <img alt={`${sheet.title} as a QR code`} className={className} src={`data:image/svg+xml;base64,${btoa(sheet.code)}`} />
}

/** The sheet as it comes out of the printer. On the screen there is none of it. */
export function PrintedPaper({ sheet }: { sheet: PaperSheet }) {
  return createPortal(
    <div className="paper hidden print:block">
      <Content sheet={sheet} />
    </div>,
    document.body,
  )
}

function Content({ sheet }: { sheet: PaperSheet }) {
  return (
    <>
      <h1>{sheet.title}</h1>
      <p>{sheet.purpose}</p>
      <table>
        <tbody>
          {sheet.facts.map((fact, at) => (
            <tr key={at}>
              <th scope="row">{fact.name}</th>
              <td>{fact.value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="paper-key">
        <pre>{sheet.armor}</pre>
        <Code className="paper-code" sheet={sheet} />
      </div>
      <p>
        <Prose text={sheet.use_it} />
      </p>
      <h2>What to do when</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">what happened</th>
            <th scope="col">who types what</th>
          </tr>
        </thead>
        <tbody>
          {sheet.cases.map((one) => (
            <tr key={one.name}>
              <td>{one.name}</td>
              <td>
                <Prose text={one.value} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

/** What the sheet looks like, before it is printed. */
export function PaperPreview({ sheet }: { sheet: PaperSheet }) {
  return (
    <figure aria-label={sheet.title} className="flex gap-4 rounded-md border border-line-strong bg-[#fff] p-4 text-[#111] max-sm:flex-col">
      <Code className="size-40 shrink-0 max-sm:self-center" sheet={sheet} />
      <figcaption className="min-w-0">
        <p className="text-lg font-semibold">{sheet.title}</p>
        <p className="mt-1 text-sm">{sheet.purpose}</p>
      </figcaption>
    </figure>
  )
}
