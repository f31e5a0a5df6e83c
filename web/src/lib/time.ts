/** Seconds since 1970, as every time in the API. */
export type UnixSeconds = number

const units: [number, string][] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
]

/** "now", "12 s ago", "3 h ago", "in 2 d". */
export function relative(at: UnixSeconds, now: UnixSeconds): string {
  const seconds = Math.round(now - at)
  if (Math.abs(seconds) < 5) return 'now'
  const text = duration(Math.abs(seconds))
  return seconds > 0 ? `${text} ago` : `in ${text}`
}

/** The largest unit that fits, rounded down: "59 s", "3 h", "12 d". */
export function duration(seconds: number): string {
  for (const [size, unit] of units) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`
  }
  return `${Math.max(0, Math.floor(seconds))} s`
}

function two(n: number): string {
  return String(n).padStart(2, '0')
}

/** "2026-11-27 16:21:32", local time; the exact moment with its zone is in the title. */
export function exact(at: UnixSeconds): string {
  const date = new Date(at * 1000)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** The moment without a zone to guess. */
export function utc(at: UnixSeconds): string {
  return new Date(at * 1000).toISOString().replace('.000Z', 'Z')
}
