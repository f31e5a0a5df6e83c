/** A generator with a seed, so that every run of the mock shows the same. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** Below one. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)]
    if (found === undefined) throw new Error('nothing to pick from')
    return found
  }

  /** So many letters and digits of ids. */
  id(prefix: string, length = 52): string {
    let text = `${prefix}_`
    for (let at = 0; at < length; at += 1) text += 'abcdefghijklmnopqrstuvwxyz234567'[this.below(32)]
    return text
  }

  hex(bytes: number): string {
    let text = ''
    for (let at = 0; at < bytes * 2; at += 1) text += '0123456789abcdef'[this.below(16)]
    return text
  }

  fingerprint(): string {
    let text = ''
    for (let at = 0; at < 43; at += 1) text += 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'[this.below(64)]
    return `SHA256:${text}`
  }

  words(): string {
    const words = 'amber anchor basin beacon birch bridge candle castle cedar copper coral dawn delta ember falcon fern garnet harbor hazel island ivory jasper kettle lantern linen maple meadow nickel oak onyx orchard paper pebble quartz raven river saddle silver slate spruce thistle timber tower tulip velvet walnut willow zenith'.split(' ')
    return Array.from({ length: 8 }, () => this.pick(words)).join(' ')
  }
}
