import { oneOf, optionalText } from '~/lib/search-params'

export const tabs = ['progress', 'endpoints', 'receipts', 'statement'] as const
export type JobSearch = { tab?: (typeof tabs)[number] | undefined; state?: string | undefined }

export function parseJobSearch(raw: Record<string, unknown>): JobSearch {
  return { tab: oneOf(raw.tab, tabs), state: optionalText(raw.state, 20) }
}

export const states = ['pending', 'active', 'finished', 'expired', 'cancelled'] as const
export type JobsSearch = { state?: (typeof states)[number] | undefined }

export function parseJobsSearch(raw: Record<string, unknown>): JobsSearch {
  return { state: oneOf(raw.state, states) }
}
