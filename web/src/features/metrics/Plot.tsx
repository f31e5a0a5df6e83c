import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

import { usePreferences } from '~/lib/preferences'

import { type Chart, byteSteps, valueText } from './charts'

const height = 180
const axisWidth = 72

/** Lines in colours that stay apart in both themes; they are named beside the chart, and its table needs no colour. */
export const strokes = ['--c-accent', '--c-ok', '--c-warn', '--c-bad', '--c-frost', '--c-ink-3', '--c-accent-hover', '--c-ink'] as const

type Props = { chart: Chart; from: number; to: number; group: string; onPoint: (index: number | undefined) => void }

/** A drawing only: what it says stands in words beside it and in the table. */
export function Plot({ chart, from, to, group, onPoint }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const { theme } = usePreferences()
  const heard = useRef(onPoint)
  useEffect(() => {
    heard.current = onPoint
  })
  const shape = `${chart.lines.length} ${chart.unit} ${theme}`
  useEffect(() => {
    const parent = place.current
    if (!parent) return undefined
    const made = new uPlot(optionsOf(chart, parent.clientWidth, group, (index) => heard.current(index)), [chart.times, ...chart.lines.map((line) => line.values)], parent)
    made.setScale('x', { min: from, max: to })
    plot.current = made
    const observer = new ResizeObserver(([entry]) => entry && made.setSize({ width: Math.max(200, Math.floor(entry.contentRect.width)), height }))
    observer.observe(parent)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = undefined
    }
    // Another number of lines, unit or theme is another drawing; new values go into the one that is there.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [shape, group])
  useEffect(() => {
    plot.current?.setData([chart.times, ...chart.lines.map((line) => line.values)], false)
    plot.current?.setScale('x', { min: from, max: to })
  }, [chart, from, to])
  return <div className="min-w-0 overflow-hidden" ref={place} />
}

function optionsOf(chart: Chart, width: number, group: string, onPoint: (index: number | undefined) => void): uPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const lines = { stroke: colour('--c-line'), width: 1 }
  const axis = { stroke: colour('--c-ink-2'), grid: lines, ticks: lines, font: '11px Inter Variable, sans-serif' }
  const bytes = chart.unit === 'bytes' || chart.unit === 'bytes/s'
  return {
    width: Math.max(200, width),
    height,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, sync: { key: group }, points: { size: 6 } },
    scales: { x: { time: true, auto: false }, y: { range: (_, least, most) => rangeOf(chart, least, most) } },
    axes: [
      { ...axis, space: 70, values: hours },
      { ...axis, size: axisWidth, values: (_, splits) => splits.map((value) => valueText(value, chart.unit).replace(/\.0+ /, ' ')), ...(bytes ? { incrs: byteSteps } : {}) },
    ],
    series: [{}, ...chart.lines.map((_, at) => ({ stroke: colour(strokes[at % strokes.length] ?? '--c-ink'), width: 1.5, points: { show: false }, spanGaps: false }))],
    hooks: { setCursor: [(self) => onPoint(self.cursor.idx ?? undefined)] },
  }
}

/** From zero; percents to a hundred, unless somebody measures more. */
function rangeOf(chart: Chart, least: number | null, most: number | null): [number, number] {
  const top = most ?? 1
  if (chart.unit === 'percent') return [0, Math.max(100, top)]
  return [Math.min(0, least ?? 0), top <= 0 ? 1 : top * 1.08]
}

/** Hours and days of this computer's zone, as everywhere on the pages. */
const hours: uPlot.Axis.Values = (_, splits, __, ___, step) =>
  splits.map((at) => {
    const date = new Date(at * 1000)
    const two = (n: number) => String(n).padStart(2, '0')
    return step >= 86_400 ? `${two(date.getMonth() + 1)}-${two(date.getDate())}` : `${two(date.getHours())}:${two(date.getMinutes())}`
  })
