import type { News as Datum } from '~/api/schema'

type Listener = (news: Datum) => void

/** Who listens to the streams of the mock: to everything, or to one job. */
export class News {
  #listeners = new Map<string, Set<Listener>>()

  listen(about: string, listener: Listener): () => void {
    const set = this.#listeners.get(about) ?? new Set()
    this.#listeners.set(about, set.add(listener))
    return () => set.delete(listener)
  }

  tell(about: string, news: Datum): void {
    for (const listener of this.#listeners.get(about) ?? []) listener(news)
  }
}
