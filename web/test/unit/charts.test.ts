import { expect, test } from 'vitest'

import type { SeriesLine } from '~/api/schema'
import { aligned, chartsOf, linesMax, rates, shareOf, summaryOf, valueText } from '~/features/metrics/charts'

const line = (name: string, label: string | null, values: number[], counter = false): SeriesLine => ({ name: `bartizan_${name}`, label_key: label === null ? null : 'of', label, counter, times: values.map((_, at) => 60 * (at + 1)), values })

test('a counter is shown as what it rises by, and one that began anew as a gap', () => {
  expect(rates({ times: [60, 120, 180, 240], values: [100, 700, 40, 100] })).toEqual({ times: [120, 240], values: [10, 1] })
  expect(rates({ times: [60], values: [1] })).toEqual({ times: [], values: [] })
  expect(rates({ times: [60, 60], values: [1, 2] }).times).toEqual([])
})

test('what was not measured is a gap in every line', () => {
  const found = aligned([{ name: 'a', source: { times: [0, 60, 300], values: [1, 2, 3] } }, { name: 'b', source: { times: [60, 300], values: [5, 6] } }], 60)
  expect(found.times).toEqual([0, 60, 120, 300])
  expect(found.lines.map((one) => one.values)).toEqual([[1, 2, null, 3], [null, 5, null, 6]])
  // One that comes a little late is not a gap.
  expect(aligned([{ name: 'a', source: { times: [0, 90], values: [1, 2] } }], 60).times).toEqual([0, 90])
  expect(aligned([{ name: 'a', source: { times: [0, 91], values: [1, 2] } }], 60).times).toEqual([0, 60, 91])
})

test('a share needs its whole', () => {
  expect(shareOf({ times: [1, 2, 3], values: [5, 5, 5] }, { times: [1, 3], values: [10, 0] })).toEqual({ times: [1], values: [50] })
  expect(shareOf({ times: [1], values: [5] }, undefined).times).toEqual([])
})

test('charts without values are left out, and hostile endpoints draw at most so many lines', () => {
  expect(chartsOf([], 60)).toEqual([])
  expect(chartsOf([line('load1', null, []), line('uptime_seconds', null, [1, 2])], 60)).toEqual([])
  const many = Array.from({ length: linesMax + 3 }, (_, at) => line('process_cpu_percent', `p${at}`, [at]))
  const [chart] = chartsOf(many, 60)
  expect([chart?.lines.length, chart?.more]).toEqual([linesMax, 3])
  expect(chart?.lines[0]?.name).toBe(`p${linesMax + 2}`)
  const all = chartsOf([line('cpu_percent', 'user', [1, 2]), line('network_receive_bytes_total', 'eth0', [0, 6_000], true), line('filesystem_used_bytes', '/', [1, 2]), line('filesystem_size_bytes', '/', [4, 4])], 60)
  expect(all.map((one) => [one.id, one.lines.map((each) => [each.name, each.values])])).toEqual([
    ['cpu', [['user', [1, 2]]]],
    ['disks', [['/', [25, 50]]]],
    ['network', [['eth0 in', [100]]]],
  ])
})

test('values have units, and nothing measured is a word', () => {
  expect(valueText(null, 'percent')).toBe('none')
  expect(valueText(12.34, 'percent')).toBe('12.3 %')
  expect([1023, 1024, 1.5 * 1024 ** 3, -2048].map((value) => valueText(value, 'bytes'))).toEqual(['1023 B', '1.0 KiB', '1.5 GiB', '-2.0 KiB'])
  expect(valueText(150 * 1024, 'bytes/s')).toBe('150 KiB/s')
  expect(summaryOf({ name: 'a', values: [null, 1, 3, null] })).toEqual({ last: 3, least: 1, mean: 2, most: 3 })
  expect(summaryOf({ name: 'a', values: [null] }).mean).toBeNull()
})
