import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'

import { problemOf } from '~/api/client'
import { seriesQuery } from '~/api/series'
import { count, plural } from '~/lib/format'
import { exact } from '~/lib/time'
import { visibleText } from '~/lib/visible'
import { Button } from '~/ui/Button'
import { Card } from '~/ui/Layout'
import { Empty, ErrorBox, Loading, Notice } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Untrusted } from '~/ui/Untrusted'
import { cx } from '~/ui/cx'

import { type Chart, chartsOf, summaryOf, valueText } from './charts'
import { Plot } from './Plot'
import { type Range, rangeSteps, ranges } from './range'

/** What an endpoint measured of itself. */
export function MetricsTab({ id, range = '1h' }: { id: string; range?: Range | undefined }) {
  const { span, step, says } = rangeSteps[range]
  const series = useQuery(seriesQuery(id, span, step))
  const { data } = series
  const charts = useMemo(() => (data ? chartsOf(data.series, data.step_s) : []), [data])
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <nav aria-label="Range" className="flex rounded-md border border-line-strong bg-panel">
          {ranges.map((one) => (
            <Link
              aria-current={one === range ? 'true' : undefined}
              className={cx('inline-flex h-7 items-center border-l border-line px-2.5 first:rounded-l-md first:border-l-0 last:rounded-r-md hover:bg-hover', one === range ? 'bg-selected font-medium text-accent' : 'text-ink-2')}
              key={one}
              params={{ id }}
              replace
              search={{ tab: 'metrics', range: one }}
              to="/endpoints/$id"
            >
              {one}
            </Link>
          ))}
        </nav>
        <span className="text-ink-3">The last {says}, by the endpoint’s word. Where nothing was measured the line has a gap.</span>
      </div>
      {series.error && <ErrorBox problem={problemOf(series.error)} retry={() => void series.refetch()} />}
      {series.isPending && <Loading />}
      {data?.losses && data.losses.dropped + data.losses.refused > 0 && (
        <Notice icon="alert" tone="warn">
          {data.losses.dropped > 0 && <>The endpoint threw {plural(data.losses.dropped, 'sample or result', 'samples or results')} away for want of room. </>}
          {data.losses.refused > 0 && (
            <>
              The server refused {plural(data.losses.refused, 'report')}
              {data.losses.refusal && (
                <>
                  , the last with <code><Untrusted text={data.losses.refusal} /></code>
                </>
              )}
              .
            </>
          )}
        </Notice>
      )}
      {data && charts.length === 0 && (
        <Empty icon="pulse" title={`Nothing was measured in the last ${says}`}>
          Endpoints measure each minute and need no configuration for it. While the server or the network is away they keep up to 16 MiB and send it later. An agent from before this version measures nothing.
        </Empty>
      )}
      {data && charts.length > 0 && (
        <div className="grid gap-4 xl:grid-cols-2">
          {charts.map((chart) => (
            <ChartCard chart={chart} from={data.from} key={chart.id} to={data.to} />
          ))}
        </div>
      )}
    </>
  )
}

/** As long as somebody reads; the newest first. */
const rowsMax = 120

function ChartCard({ chart, from, to }: { chart: Chart; from: number; to: number }) {
  const [table, setTable] = useState(false)
  const [point, setPoint] = useState<number>()
  return (
    <Card
      actions={
        <Button aria-pressed={table} look="quiet" onClick={() => setTable(!table)} size="sm">
          {table ? 'As a drawing' : 'As a table'}
        </Button>
      }
      flush
      title={chart.title}
    >
      {table ? <Values chart={chart} /> : (
        <div aria-label={`${chart.title}: the lines below in numbers`} className="px-2 pt-2" role="img">
          <Plot chart={chart} from={from} group="endpoint" onPoint={setPoint} to={to} />
        </div>
      )}
      <Legend at={table ? undefined : point} chart={chart} />
    </Card>
  )
}

/** Each line in numbers; under the pointer its value then. */
function Legend({ chart, at }: { chart: Chart; at: number | undefined }) {
  const time = at === undefined ? undefined : chart.times[at]
  return (
    <Table heads={[{ name: time === undefined ? 'Line' : exact(time), className: 'w-1/3' }, { name: time === undefined ? 'Last' : 'Then' }, { name: 'Least' }, { name: 'Mean' }, { name: 'Most' }]} label={`${chart.title} in numbers`}>
      {chart.lines.map((line, place) => {
        const { last, least, mean, most } = summaryOf(line)
        const shown = time === undefined ? last : (line.values[at ?? 0] ?? null)
        return (
          <tr key={line.name}>
            <td className="break-all">
              <Swatch place={place} /> <Untrusted className="whitespace-normal!" max={80} text={line.name} />
            </td>
            {[shown, least, mean, most].map((value, column) => (
              <td className="tabular whitespace-nowrap" key={column}>
                {valueText(value, chart.unit)}
              </td>
            ))}
          </tr>
        )
      })}
      {chart.more > 0 && (
        <tr>
          <td className="text-ink-3" colSpan={5}>
            and {count(chart.more)} more with smaller values; <code>bartizan metrics</code> shows them all
          </td>
        </tr>
      )}
    </Table>
  )
}

const swatches = ['bg-accent', 'bg-ok', 'bg-warn', 'bg-bad', 'bg-frost', 'bg-ink-3', 'bg-accent-hover', 'bg-ink'] as const

function Swatch({ place }: { place: number }) {
  return <span aria-hidden="true" className={cx('mr-1 inline-block size-2.5 rounded-sm', swatches[place % swatches.length])} />
}

function Values({ chart }: { chart: Chart }) {
  const rows = chart.times.map((time, at) => ({ time, at })).toReversed()
  return (
    <div className="max-h-80 overflow-y-auto">
      <Table heads={[{ name: 'When' }, ...chart.lines.map((line) => ({ name: visibleText(line.name.slice(0, 100)) }))]} label={`${chart.title} as a table`}>
        {rows.slice(0, rowsMax).map(({ time, at }) => (
          <tr key={time}>
            <td className="tabular whitespace-nowrap text-ink-2">{exact(time)}</td>
            {chart.lines.map((line) => (
              <td className="tabular whitespace-nowrap" key={line.name}>
                {valueText(line.values[at] ?? null, chart.unit)}
              </td>
            ))}
          </tr>
        ))}
      </Table>
      {rows.length > rowsMax && <p className="px-4 py-2 text-ink-2">The newest {rowsMax} of {count(rows.length)}.</p>}
    </div>
  )
}
