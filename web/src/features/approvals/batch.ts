import type { InboxItem, Sheet, Signed } from '~/api/schema'

/** Sheets that are open at once: a person reads each, and each is good for fifteen minutes. */
export const batchMax = 20

/** Where one of several statements stands. */
export type Step =
  | { state: 'waits' }
  | { state: 'signing' }
  | { state: 'signed'; signed: Signed }
  | { state: 'refused'; problem: { code: string; message: string; next: string } }

/** Why a statement cannot be chosen besides those that are. */
export function whyNot(item: InboxItem, chosen: readonly InboxItem[]): string | undefined {
  if (item.disabled) return item.disabled
  const [first] = chosen
  if (first && first.kind !== item.kind) return `You have chosen statements of kind ${first.kind}: sign a ${item.kind} by itself.`
  if (chosen.length >= batchMax && !chosen.includes(item)) return `${batchMax} at a time.`
  return undefined
}

/** As many of one kind as can be signed together, of what this person can sign; of several kinds the one with the most. */
export function largestBatch(items: readonly InboxItem[]): InboxItem[] {
  const kinds = new Map<string, InboxItem[]>()
  for (const item of items) {
    const chosen = kinds.get(item.kind) ?? []
    if (!whyNot(item, chosen)) kinds.set(item.kind, [...chosen, item])
  }
  return [...kinds.values()].reduce((most, one) => (one.length > most.length ? one : most), [])
}

/** What is still to be signed, in order: those that were compared and have no signature of ours yet. */
export function toSign(ids: readonly string[], steps: ReadonlyMap<string, Step>, compared: ReadonlySet<string>): string[] {
  return ids.filter((id) => compared.has(id) && steps.get(id)?.state !== 'signed')
}

/**
 * Signs one after the other: one signature a statement, each by its own sheet. It stops at the first that is refused; what was signed
 * before stays signed, and what comes after was not touched.
 */
export async function signInTurn(
  ids: readonly string[],
  sheetOf: (id: string) => Sheet | undefined,
  sign: (sheet: Sheet) => Promise<Signed>,
  onStep: (id: string, step: Step) => void,
  problemOf: (error: unknown) => { code: string; message: string; next: string },
): Promise<boolean> {
  for (const id of ids) {
    const sheet = sheetOf(id)
    if (!sheet) return false
    onStep(id, { state: 'signing' })
    try {
      onStep(id, { state: 'signed', signed: await sign(sheet) })
    } catch (error) {
      onStep(id, { state: 'refused', problem: problemOf(error) })
      return false
    }
  }
  return true
}
