/** What stands in an address was typed or sent by anybody: only what is known is taken. */
export function optionalText(value: unknown, max = 256): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value.slice(0, max) : undefined
}

export function oneOf<const T extends readonly string[]>(value: unknown, known: T): T[number] | undefined {
  return typeof value === 'string' && known.includes(value) ? value : undefined
}

export function texts(value: unknown, max: number): string[] | undefined {
  if (typeof value === 'string') return [value.slice(0, 256)]
  if (!Array.isArray(value)) return undefined
  const found = value.filter((one) => typeof one === 'string').slice(0, max)
  return found.length > 0 ? found : undefined
}
