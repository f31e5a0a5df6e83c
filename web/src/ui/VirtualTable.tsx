import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type MouseEvent, type ReactNode, memo, useEffect, useId, useMemo, useState } from 'react'

import { cx } from './cx'

export type Column<Row> = {
  id: string
  name: string
  /** A CSS grid track: "minmax(12rem,2fr)". */
  track: string
  /** Hidden when the table is narrower than this, in pixels. */
  above?: number
  /** The sort that a press on the head asks for. */
  sort?: string
  cell: (row: Row, index: number) => ReactNode
}

type Props<Row> = {
  label: string
  columns: Column<Row>[]
  total: number
  /** Undefined while its window is being fetched. */
  rowAt: (index: number) => Row | undefined
  keyOf: (row: Row) => string
  /** Called with the first and last index on the screen. */
  onWindow?: (from: number, to: number) => void
  sorted?: { by: string; descending: boolean }
  onSort?: (by: string) => void
  selected?: ReadonlySet<string>
  /** `range` is true with Shift: everything since the last one. */
  onSelect?: (index: number, range: boolean) => void
  onOpen?: (row: Row) => void
  rowHeight?: number
  empty?: ReactNode
}

/** In pixels, with its line. */
const headHeight = 33

/** A grid over a window of rows: the page holds what is on the screen, the server the rest. */
export function VirtualTable<Row>(props: Props<Row>) {
  const { columns, total, rowAt, keyOf, onWindow, rowHeight = 34, selected, onSelect, onOpen } = props
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null)
  const width = useWidth(scroller)
  const [active, setActive] = useState(0)
  const id = useId()
  // The same list as long as it is the same columns, so that rows that stay are not drawn again.
  const shown = useMemo(() => columns.filter((column) => width === 0 || !column.above || width >= column.above), [columns, width])
  const tracks = shown.map((column) => column.track).join(' ')
  // The compiler of React is not used; this library's object changes in place by design.
  // oxlint-disable-next-line react/incompatible-library
  const virtual = useVirtualizer({
    count: total,
    getScrollElement: () => scroller,
    estimateSize: () => rowHeight,
    overscan: 8,
    // Drawn with everything else of the frame, not in the midst of the scroll event.
    useFlushSync: false,
    // The head stays on top of the rows, and takes their first place.
    scrollMargin: headHeight,
    scrollPaddingStart: headHeight,
  })
  const items = virtual.getVirtualItems()
  const from = items[0]?.index ?? 0
  const to = items.at(-1)?.index ?? 0
  useEffect(() => onWindow?.(from, to), [from, to, onWindow])

  const move = (to: number) => {
    const next = Math.max(0, Math.min(total - 1, to))
    setActive(next)
    virtual.scrollToIndex(next, { align: 'auto' })
    return next
  }
  const press = (event: KeyboardEvent) => {
    if (event.target !== scroller || event.ctrlKey || event.metaKey || event.altKey) return
    const page = Math.max(1, Math.floor((scroller?.clientHeight ?? 300) / rowHeight) - 1)
    const steps: Record<string, number> = {
      ArrowDown: active + 1,
      j: active + 1,
      ArrowUp: active - 1,
      k: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: total - 1,
    }
    const row = rowAt(active)
    if (event.key in steps) {
      const before = active
      const next = move(steps[event.key] ?? 0)
      if (event.shiftKey && onSelect && event.key.startsWith('Arrow') && next !== before) onSelect(next, true)
    } else if ((event.key === ' ' || event.key === 'x') && onSelect) onSelect(active, event.shiftKey)
    else if (event.key === 'Enter' && row !== undefined) onOpen?.(row)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  const click = ({ target }: MouseEvent) => {
    if (!(target instanceof Element)) return
    const at = Number(target.closest<HTMLElement>('[data-index]')?.dataset.index ?? Number.NaN)
    if (Number.isNaN(at)) return
    setActive(at)
    const row = rowAt(at)
    if (row !== undefined && !target.closest('a,button,input,label')) onOpen?.(row)
  }

  if (total === 0) return <div className="min-h-0 flex-1 overflow-auto bg-panel">{props.empty}</div>
  return (
    <Ringed>
      <div
        aria-activedescendant={total > 0 ? `${id}-${active}` : undefined}
        aria-colcount={shown.length}
        aria-label={props.label}
        aria-multiselectable={onSelect ? true : undefined}
        aria-rowcount={total + 1}
        className="group/grid relative min-h-0 flex-1 overflow-auto bg-panel outline-none"
        onKeyDown={press}
        ref={setScroller}
        role="grid"
        tabIndex={0}
      >
        <div className="sticky top-0 z-10 border-b border-line bg-panel" role="rowgroup">
          <div aria-rowindex={1} className="grid h-8 items-center gap-3 px-4" role="row" style={{ gridTemplateColumns: tracks }}>
            {shown.map((column) => (
              <Head column={column} key={column.id} onSort={props.onSort} sorted={props.sorted} />
            ))}
          </div>
        </div>
        {/* Keys are the grid's business: it has the focus, rows never do. */}
        {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions */}
        <div className="relative" onClick={click} role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rowAt(item.index)
            return (
              <BodyRow
                active={item.index === active}
                columns={shown}
                height={item.size}
                id={`${id}-${item.index}`}
                index={item.index}
                key={item.key}
                row={row}
                selected={onSelect && row !== undefined && selected?.has(keyOf(row)) === true}
                top={item.start - headHeight}
                tracks={tracks}
              />
            )
          })}
        </div>
      </div>
    </Ringed>
  )
}

type RowProps<Row> = {
  row: Row | undefined
  index: number
  id: string
  columns: Column<Row>[]
  tracks: string
  top: number
  height: number
  active: boolean
  /** Undefined where nothing can be chosen. */
  selected: boolean | undefined
}

/** One row. While the list scrolls, only rows that are new on the screen are made. */
const BodyRow = memo(function BodyRow<Row>({ row, index, id, columns, tracks, top, height, active, selected }: RowProps<Row>) {
  return (
    <div
      aria-rowindex={index + 2}
      aria-selected={selected}
      className={cx(
        'absolute inset-x-0 top-0 grid cursor-default items-center gap-3 border-b border-line/60 px-4 [contain:layout_paint_style]',
        selected ? 'bg-selected' : 'hover:bg-hover',
        active && 'group-focus-visible/grid:shadow-[inset_3px_0_0_var(--c-accent)]',
      )}
      data-index={index}
      id={id}
      role="row"
      style={{ gridTemplateColumns: tracks, height, transform: `translateY(${top}px)` }}
    >
      {columns.map((column) => (
        <div className="min-w-0 truncate" key={column.id} role="gridcell">
          {row === undefined ? <span className="skeleton block h-3 w-2/3" /> : column.cell(row, index)}
        </div>
      ))}
    </div>
  )
}) as <Row>(props: RowProps<Row>) => ReactNode

/** The ring of the focus lies above the rows, which would cover an outline. */
function Ringed({ children }: { children: ReactNode }) {
  return (
    <div className="relative flex min-h-0 flex-1 after:pointer-events-none after:absolute after:inset-0 after:z-20 has-[[role=grid]:focus-visible]:after:shadow-[inset_0_0_0_2px_var(--c-accent)]" data-focus-ring>
      {children}
    </div>
  )
}

function Head<Row>({ column, sorted, onSort }: { column: Column<Row> } & Pick<Props<Row>, 'sorted' | 'onSort'>) {
  const { sort } = column
  const current = sort !== undefined && sorted?.by === sort ? sorted : undefined
  const direction = current?.descending ? 'descending' : 'ascending'
  return (
    <div aria-sort={current ? direction : undefined} className="label min-w-0 truncate" role="columnheader">
      {sort && onSort ? (
        <button className="-mx-1 rounded-sm px-1 hover:text-ink" onClick={() => onSort(sort)} type="button">
          {column.name}
          {current && <span aria-hidden="true"> {current.descending ? '↓' : '↑'}</span>}
        </button>
      ) : (
        column.name || <span className="sr-only">Selection</span>
      )}
    </div>
  )
}

/** The width of an element, as it changes. */
function useWidth(element: HTMLElement | null): number {
  const [width, setWidth] = useState(0)
  useEffect(() => {
    if (!element) return undefined
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.round(entry.contentRect.width)))
    observer.observe(element)
    return () => observer.disconnect()
  }, [element])
  return width
}
