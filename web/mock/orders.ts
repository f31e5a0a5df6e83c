import type { OrderPlan, OrderTrigger } from '~/api/schema'

import { Refused } from './handlers'
import type { World } from './world'

/** In words, as the operator process says it. */
export function startsOf({ on }: OrderTrigger): string {
  switch (on.kind) {
    case 'interval':
      return `every ${on.every_s / 60} min`
    case 'calendar':
      return `at ${on.cron} (${on.zone})`
    case 'start':
      return 'once after each start of the machine'
    case 'disk_below':
      return `while ${on.path} has less than ${on.percent} % of room`
    case 'service_down':
      return `while the service ${on.unit} does not run`
    case 'reboot_pending':
      return 'while the machine wants to be started anew'
    case 'file_changed':
      return `whenever ${on.path} changes`
    case 'ended':
      return `whenever a run of ${on.order} has ended ${on.well ? 'well' : 'badly'}`
  }
}

/** Times of a day, or of an interval; the grammar of calendars is the operator process's. */
export function orderPlan(world: World, trigger: OrderTrigger): OrderPlan {
  const { on } = trigger
  const fields = on.kind === 'calendar' ? on.cron.split(' ') : []
  if (on.kind === 'calendar' && (fields.length !== 5 || fields.some((field) => !/^[\d*,/-]+$/.test(field)))) throw new Refused(400, 'usage', 'trigger.cron: five fields of numbers', 'change it and try again')
  const step = on.kind === 'interval' ? on.every_s : 86_400
  const now = world.now()
  const first = on.kind === 'interval' ? now + step : Math.ceil(now / 86_400) * 86_400 + Number(fields[1] ?? 0) * 3600 + Number(fields[0] ?? 0) * 60
  const schedule = on.kind === 'interval' || on.kind === 'calendar'
  const distance = trigger.distance_s ?? (schedule ? 60 : 3600)
  const wall = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' })
  const days = fields[4] ?? '*'
  const onDay = (at: number) => {
    const day = new Date(at * 1000).getUTCDay()
    const [from, to] = days.split('-').map(Number)
    return days === '*' || (to === undefined ? days.split(',').map(Number).includes(day) : day >= (from ?? 0) && day <= to)
  }
  const runs = schedule
    ? Array.from({ length: 80 }, (_, at) => ({ at: first + at * step, wall: wall.format(new Date((first + at * step) * 1000)), ...(step < distance && at % 2 === 1 ? { passed_over: `less than ${distance} s after the run before` } : {}) })).filter((run) => run.at < now + trigger.until_s && onDay(run.at)).slice(0, 10)
    : []
  return {
    starts: startsOf(trigger), schedule, until: now + trigger.until_s, runs, zone: on.kind === 'calendar' ? on.zone : 'UTC',
    bounds: [`At most ${trigger.rate?.runs ?? (schedule ? 1440 : 24)} runs in 1 d, and at least ${distance} s between two.`, `It stands still after ${(trigger.alone_s ?? 604_800) / 86_400} d without news from the server; for so long a withheld freeze can go unseen.`],
  }
}
