import { oneOf } from '~/lib/search-params'

export type LogSearch = { log?: 'control' | 'jobs' | undefined; index?: number | undefined }

export function parseLogSearch(raw: Record<string, unknown>): LogSearch {
  const index = typeof raw.index === 'number' && Number.isSafeInteger(raw.index) && raw.index >= 0 ? raw.index : undefined
  return { log: oneOf(raw.log, ['control', 'jobs'] as const), index }
}
