import { optionalText, texts } from '~/lib/search-params'

/** What is to run where: a script of the library, or none; and whether it is to stand. */
export type RunSearch = { on?: string[] | undefined; script?: string | undefined; version?: string | undefined; standing?: boolean | undefined }

export function parseRunSearch(raw: Record<string, unknown>): RunSearch {
  return { on: texts(raw.on, 50), script: optionalText(raw.script, 64), version: optionalText(raw.version, 64), standing: raw.standing === true ? true : undefined }
}
