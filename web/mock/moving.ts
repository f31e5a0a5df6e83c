import { counts } from './handlers'
import type { World } from './world'

const beatMs = 100

/** Lets the fleet live: so many endpoints a second are heard of, and every tenth of them comes or goes. */
export function keepMoving(world: World, eachSecond: number): void {
  const { endpoints, news, random } = world
  if (!(eachSecond > 0) || endpoints.length === 0) return
  const beat = Math.max(1, Math.round((Math.min(eachSecond, endpoints.length * 10) * beatMs) / 1_000))
  const timer = setInterval(() => {
    for (let at = 0; at < beat; at += 1) {
      const row = random.pick(endpoints)
      if (row.state === 'quarantined') continue
      if (random.below(10) === 0) row.state = row.state === 'connected' ? 'away' : 'connected'
      if (row.state === 'connected') row.last_seen = world.now()
    }
    const { total, connected, quarantined } = counts(endpoints)
    news.tell('all', { kind: 'fleet', total, connected, quarantined })
  }, beatMs)
  // In Node it must not keep a process alive that has ended otherwise.
  if (typeof timer === 'object') timer.unref()
}
