import type { SeriesLine } from '~/api/schema'

import { absent, requireServer } from './handlers'
import type { Handlers } from './transport'
import { hostileNames } from './hostile'
import type { World } from './world'

type Routes = '/api/v1/endpoints/{id}/series'

type Wave = { name: string; label_key?: string; label?: string; counter?: boolean; low: number; high: number }

/** One of each kind that a page has to show: a percentage, a size, a counter, a label that somebody else wrote. */
const waves: Wave[] = [
  { name: 'bartizan_cpu_percent', label_key: 'mode', label: 'user', low: 4, high: 61 },
  { name: 'bartizan_cpu_percent', label_key: 'mode', label: 'system', low: 1, high: 9 },
  { name: 'bartizan_cpu_percent', label_key: 'mode', label: 'iowait', low: 0, high: 4 },
  { name: 'bartizan_filesystem_used_bytes', label_key: 'mount', label: '/', low: 41e9, high: 43e9 },
  { name: 'bartizan_filesystem_size_bytes', label_key: 'mount', label: '/', low: 60e9, high: 60e9 },
  { name: 'bartizan_filesystem_used_bytes', label_key: 'mount', label: '/var', low: 18e9, high: 19.6e9 },
  { name: 'bartizan_filesystem_size_bytes', label_key: 'mount', label: '/var', low: 20e9, high: 20e9 },
  { name: 'bartizan_disk_read_bytes_total', label_key: 'device', label: 'nvme0n1', counter: true, low: 0, high: 24e6 },
  { name: 'bartizan_disk_written_bytes_total', label_key: 'device', label: 'nvme0n1', counter: true, low: 1e5, high: 6e6 },
  { name: 'bartizan_load5', low: 0.2, high: 1.9 },
  { name: 'bartizan_load15', low: 0.4, high: 1.5 },
  { name: 'bartizan_memory_available_bytes', low: 9.1e9, high: 12.9e9 },
  { name: 'bartizan_network_transmit_bytes_total', label_key: 'interface', label: 'eth0', counter: true, low: 0, high: 3e6 },
  { name: 'bartizan_load1', low: 0.1, high: 2.4 },
  { name: 'bartizan_memory_used_bytes', low: 3.1e9, high: 5.9e9 },
  { name: 'bartizan_network_receive_bytes_total', label_key: 'interface', label: 'eth0', counter: true, low: 0, high: 9e6 },
  { name: 'bartizan_process_cpu_percent', label_key: 'name', label: '<b>postgres</b>', low: 0, high: 33 },
  ...hostileNames.map((label, at) => ({ name: 'bartizan_process_cpu_percent', label_key: 'name', label: label.slice(0, 64), low: 0, high: 3 + at })),
]

export function seriesHandlers(world: World): Pick<Handlers, Routes> {
  return {
    '/api/v1/endpoints/{id}/series': {
      get: ({ path, query }) => {
        requireServer(world)
        if (!world.byId.has(path.id)) throw absent('endpoint')
        const to = query.to ?? world.now()
        const from = query.from ?? to - 3600
        const step_s = query.step_s ?? Math.max(60, Math.floor((to - from) / 360))
        if (world.byId.get(path.id)?.state === 'quarantined') return { from, to, step_s, series: [], losses: null }
        const wanted = waves.filter((wave) => (!query.name || wave.name === query.name) && (!query.label || wave.label === query.label))
        return { from, to, step_s, series: wanted.map((wave) => line(wave, from, to, step_s)), losses: { dropped: 12, refused: 1, refusal: 'samples.label' } }
      },
    },
  }
}

function line(wave: Wave, from: number, to: number, step: number): SeriesLine {
  const times: number[] = []
  const values: number[] = []
  let sum = 0
  for (let at = from - (from % step) + step; at <= to; at += step) {
    const share = (1 + Math.sin(at / 1800)) / 2
    const value = wave.low + share * (wave.high - wave.low)
    sum += value * step
    // The machine was off for a while.
    if (at > to - (to - from) * 0.45 && at < to - (to - from) * 0.3) continue
    times.push(at)
    values.push(wave.counter ? Math.round(sum) : Math.round(value * 100) / 100)
  }
  return { name: wave.name, label_key: wave.label_key ?? null, label: wave.label ?? null, counter: wave.counter ?? false, times, values }
}
