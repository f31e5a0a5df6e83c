/** Longest event; a longer one is not ours. */
const eventMax = 4 * 1024 * 1024

/** Takes server-sent events apart. `EventSource` cannot carry the token, so the stream is read with `fetch`. */
export class EventParser {
  #rest = ''
  #data: string[] = []

  /** The data of each event that is whole now. */
  feed(chunk: string): string[] {
    this.#rest += chunk
    if (this.#rest.length > eventMax) throw new Error('an event is too long')
    const events: string[] = []
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this.#rest)
      if (!end) return events
      const line = this.#rest.slice(0, end.index)
      this.#rest = this.#rest.slice(end.index + end[0].length)
      if (line === '') {
        if (this.#data.length > 0) events.push(this.#data.join('\n'))
        this.#data = []
      } else if (line.startsWith('data:')) {
        this.#data.push(line.slice(line[5] === ' ' ? 6 : 5))
      }
    }
  }
}
