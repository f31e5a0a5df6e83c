const numbers = new Intl.NumberFormat('en-GB')

/** 100000 as "100,000". */
export function count(n: number): string {
  return numbers.format(n)
}

/** "1 endpoint", "12 endpoints". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** "412 B", "2.1 KiB". */
export function bytes(n: number): string {
  if (n < 1024) return `${n} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  let value = n / 1024
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? ''}`
}

/** The beginning of an id, long enough to tell apart: "st_6fjrl5fj…". */
export function shortId(id: string): string {
  return id.length > 14 ? `${id.slice(0, 11)}…` : id
}

/** "alice", "alice and bob", "alice, bob and carol". */
export function listed(names: readonly string[]): string {
  if (names.length <= 1) return names[0] ?? ''
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
