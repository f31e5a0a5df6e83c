import { useState } from 'react'

import type { FleetColumn } from '~/api/schema'
import { Button } from '~/ui/Button'
import { Dialog } from '~/ui/Dialog'
import { Check } from '~/ui/Field'

import { columnNames } from './columns'
import { allColumns } from './search'

type Props = { columns: readonly FleetColumn[]; onChange: (columns: FleetColumn[] | undefined) => void; onClose: () => void }

/** Which columns, in which order. The list behind it follows at once. */
export function ColumnChooser({ columns, onChange, onClose }: Props) {
  // Those that are off keep their place while the dialog is open.
  const [order, setOrder] = useState<FleetColumn[]>([...columns, ...allColumns.filter((column) => !columns.includes(column))])
  const shown = new Set(columns)
  const move = (column: FleetColumn, by: number) => {
    const at = order.indexOf(column)
    const next = order.toSpliced(at, 1).toSpliced(at + by, 0, column)
    setOrder(next)
    onChange(next.filter((one) => shown.has(one)))
  }
  const toggle = (column: FleetColumn) => onChange(order.filter((one) => (one === column ? !shown.has(one) : shown.has(one))))
  return (
    <Dialog
      description="On a narrow screen the last ones make room."
      footer={
        <>
          <Button
            onClick={() => {
              setOrder([...allColumns])
              onChange(undefined)
            }}
          >
            The usual ones
          </Button>
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        </>
      }
      onClose={onClose}
      open
      size="sm"
      title="Columns"
    >
      <ul aria-label="Columns" className="flex flex-col">
        {order.map((column, at) => (
          <li className="flex h-9 items-center gap-2 border-b border-line/60 last:border-b-0" key={column}>
            <Check
              checked={shown.has(column)}
              className="flex-1"
              disabled={column === 'name'}
              label={
                <>
                  {columnNames[column]} {column === 'name' && <span className="text-ink-3">(rows are opened by it)</span>}
                </>
              }
              onChange={() => toggle(column)}
            />
            <Button disabledReason={at === 0 && 'It is the first.'} icon="up" label={`${columnNames[column]} before`} look="quiet" onClick={() => move(column, -1)} size="sm" />
            <Button disabledReason={at === order.length - 1 && 'It is the last.'} icon="down" label={`${columnNames[column]} after`} look="quiet" onClick={() => move(column, 1)} size="sm" />
          </li>
        ))}
      </ul>
    </Dialog>
  )
}
