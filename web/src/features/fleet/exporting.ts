import { useMutation } from '@tanstack/react-query'

import { fetchFile } from '~/api/client'
import type { FleetColumn } from '~/api/schema'
import { saveBlob } from '~/lib/save'

import { type FleetSearch, filtersOf } from './search'

/** Where the operator process gives the list as a file. */
export function exportPath(search: FleetSearch, columns: readonly FleetColumn[]): string {
  const query = new URLSearchParams({ columns: columns.join(',') })
  for (const [name, value] of Object.entries(filtersOf(search))) query.set(name, String(value))
  return `/api/v1/endpoints/export?${query}`
}

/** Rows of a file whose cells have one line each, without its head. */
export function rowsOf(text: string): number {
  return Math.max(0, text.split('\r\n').length - 2)
}

/** Saves all rows of the list, not only those on the screen. Says how many there were. */
export function useExport(search: FleetSearch, columns: readonly FleetColumn[]) {
  return useMutation({
    mutationFn: async () => {
      const file = await fetchFile(exportPath(search, columns))
      saveBlob(`${search.view ?? 'endpoints'}.csv`, file)
      return rowsOf(await file.text())
    },
  })
}
