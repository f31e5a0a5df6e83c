import { optionalText } from '~/lib/search-params'

/** Which script, which of its texts, and since which other one the difference is shown. */
export type ScriptsSearch = { name?: string | undefined; version?: string | undefined; since?: string | undefined; edit?: boolean | undefined }

export function parseScriptsSearch(raw: Record<string, unknown>): ScriptsSearch {
  return { name: optionalText(raw.name, 64), version: optionalText(raw.version, 64), since: optionalText(raw.since, 64), edit: raw.edit === true ? true : undefined }
}
