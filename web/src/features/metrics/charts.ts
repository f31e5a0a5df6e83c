import type { SeriesLine } from '~/api/schema'

export type Unit = 'percent' | 'bytes' | 'bytes/s' | 'number'
export type Line = { name: string; values: (number | null)[] }
export type Chart = { id: string; title: string; unit: Unit; times: number[]; lines: Line[]; /** Series that are not drawn. */ more: number }

/** More lines in one chart tell nobody anything; an endpoint can name 256 series. */
export const linesMax = 8

type Source = { times: readonly number[]; values: readonly number[] }
type Named = { name: string; source: Source }

/** The charts of an endpoint, those without a value left out. */
export function chartsOf(series: readonly SeriesLine[], step: number): Chart[] {
  const of = (metric: string) => series.filter((one) => one.name === `bartizan_${metric}`)
  const named = (metric: string, name: (label: string) => string, each: (one: SeriesLine) => Source = (one) => one): Named[] => of(metric).map((one) => ({ name: name(one.label ?? ''), source: each(one) }))
  const own = (label: string) => label || 'all'
  const rate = (one: SeriesLine) => rates(one)
  const drawn: [string, string, Unit, Named[]][] = [
    ['cpu', 'Processors, busy', 'percent', named('cpu_percent', own)],
    ['load', 'Load', 'number', [...named('load1', () => '1 minute'), ...named('load5', () => '5 minutes'), ...named('load15', () => '15 minutes')]],
    ['memory', 'Memory', 'bytes', [...named('memory_used_bytes', () => 'used'), ...named('memory_available_bytes', () => 'available'), ...named('swap_used_bytes', () => 'swap used')]],
    ['disks', 'Disks, in use', 'percent', of('filesystem_used_bytes').map((used) => ({ name: used.label ?? 'all', source: shareOf(used, of('filesystem_size_bytes').find((size) => size.label === used.label)) }))],
    ['disk-io', 'Disks, reading and writing', 'bytes/s', [...named('disk_read_bytes_total', (label) => `${label} read`, rate), ...named('disk_written_bytes_total', (label) => `${label} written`, rate)]],
    ['network', 'Network', 'bytes/s', [...named('network_receive_bytes_total', (label) => `${label} in`, rate), ...named('network_transmit_bytes_total', (label) => `${label} out`, rate)]],
    ['processes', 'Programs that take most of a processor', 'percent', named('process_cpu_percent', own)],
  ]
  return drawn.flatMap(([id, title, unit, all]) => {
    const some = all.filter((one) => one.source.times.length > 0)
    if (some.length === 0) return []
    const shown = some.length > linesMax ? some.toSorted((a, b) => largest(b.source) - largest(a.source)).slice(0, linesMax) : some
    return [{ id, title, unit, ...aligned(shown, step), more: some.length - shown.length }]
  })
}

function largest({ values }: Source): number {
  return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
}

/** What a counter rises by in a second. A counter that falls began anew: what it rose by then is not known. */
export function rates({ times, values }: Source): Source {
  const found: { times: number[]; values: number[] } = { times: [], values: [] }
  for (let at = 1; at < times.length; at += 1) {
    const seconds = (times[at] ?? 0) - (times[at - 1] ?? 0)
    const rise = (values[at] ?? 0) - (values[at - 1] ?? 0)
    if (seconds <= 0 || rise < 0) continue
    found.times.push(times[at] ?? 0)
    found.values.push(rise / seconds)
  }
  return found
}

/** Percent of a whole, where both were measured. */
export function shareOf(part: Source, whole: Source | undefined): Source {
  const sizes = new Map(whole?.times.map((time, at) => [time, whole.values[at] ?? 0]))
  const found: { times: number[]; values: number[] } = { times: [], values: [] }
  part.times.forEach((time, at) => {
    const size = sizes.get(time)
    if (!size || size <= 0) return
    found.times.push(time)
    found.values.push((100 * (part.values[at] ?? 0)) / size)
  })
  return found
}

/** All lines over the same times. Where nothing was measured for longer than a step and a half there is a gap, not a line through it. */
export function aligned(all: readonly Named[], step: number): { times: number[]; lines: Line[] } {
  const measured = [...new Set(all.flatMap((one) => one.source.times))].toSorted((a, b) => a - b)
  const times: number[] = []
  for (const time of measured) {
    const last = times.at(-1)
    if (last !== undefined && time - last > step * 1.5) times.push(last + step)
    times.push(time)
  }
  const lines = all.map(({ name, source }) => {
    const values = new Map(source.times.map((time, at) => [time, source.values[at] ?? null]))
    return { name, values: times.map((time) => values.get(time) ?? null) }
  })
  return { times, lines }
}

export type Summary = { last: number | null; least: number | null; mean: number | null; most: number | null }

export function summaryOf({ values }: Line): Summary {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return { last: null, least: null, mean: null, most: null }
  return {
    last: known.at(-1) ?? null,
    least: known.reduce((a, b) => Math.min(a, b)),
    mean: known.reduce((a, b) => a + b, 0) / known.length,
    most: known.reduce((a, b) => Math.max(a, b)),
  }
}

const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** With its unit: "12.4 %", "3.1 GiB", "120 KiB/s"; nothing measured is a word. */
export function valueText(value: number | null, unit: Unit): string {
  if (value === null) return 'none'
  if (unit === 'percent') return `${value.toFixed(1)} %`
  if (unit === 'number') return value.toFixed(2)
  let [size, at] = [Math.abs(value), 0]
  while (size >= 1024 && at < binary.length - 1) {
    size /= 1024
    at += 1
  }
  const text = `${value < 0 ? '-' : ''}${at === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${binary[at]}`
  return unit === 'bytes/s' ? `${text}/s` : text
}

/** Round steps of an axis: powers of two for bytes, so that labels are short. */
export const byteSteps: number[] = Array.from({ length: 56 }, (_, at) => 2 ** at)
