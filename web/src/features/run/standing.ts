import type { OrderTrigger } from '~/api/schema'

/** What starts a standing order, as the form has it. */
export type Standing = {
  kind: OrderTrigger['on']['kind']
  everyS: number
  minute: number
  hour: number
  days: string
  cron: string
  zone: string
  path: string
  percent: number
  unit: string
  order: string
  well: boolean
  untilS: number
  aloneS: number
  runs: string
  perS: number
  distanceS: string
  jitterS: number
  lateS: number
}

export const emptyStanding: Standing = {
  kind: 'calendar', everyS: 3600, minute: 0, hour: 3, days: '*', cron: '', zone: ownZone(), path: '/', percent: 10, unit: '', order: '', well: false,
  untilS: 30 * 86_400, aloneS: 7 * 86_400, runs: '', perS: 86_400, distanceS: '', jitterS: 0, lateS: 0,
}

function ownZone(): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  return zone === '' ? 'UTC' : zone
}

/** Days of the week that are offered; anything else is written as a calendar of its own. */
export const dayChoices: readonly [string, string][] = [
  ['*', 'every day'],
  ['1-5', 'Monday to Friday'],
  ['0,6', 'Saturday and Sunday'],
  ['0', 'Sunday'],
  ['1', 'Monday'],
  ['2', 'Tuesday'],
  ['3', 'Wednesday'],
  ['4', 'Thursday'],
  ['5', 'Friday'],
  ['6', 'Saturday'],
]

/** The calendar in five fields: what is written, or what the time and the days say. */
export function cronOf({ cron, minute, hour, days }: Standing): string {
  return cron.trim() === '' ? `${minute} ${hour} * * ${days}` : cron.trim().replaceAll(/\s+/g, ' ')
}

function startOf(form: Standing): OrderTrigger['on'] {
  switch (form.kind) {
    case 'interval':
      return { kind: 'interval', every_s: form.everyS }
    case 'calendar':
      return { kind: 'calendar', cron: cronOf(form), zone: form.zone.trim() }
    case 'start':
      return { kind: 'start' }
    case 'disk_below':
      return { kind: 'disk_below', path: form.path.trim(), percent: form.percent }
    case 'service_down':
      return { kind: 'service_down', unit: form.unit.trim() }
    case 'reboot_pending':
      return { kind: 'reboot_pending' }
    case 'file_changed':
      return { kind: 'file_changed', path: form.path.trim() }
    case 'ended':
      return { kind: 'ended', order: form.order, well: form.well }
  }
}

const number = (text: string) => (text.trim() === '' || !Number.isFinite(Number(text)) ? undefined : Number(text))

/** As the API takes it: what is empty is as usual. */
export function triggerOf(form: Standing): OrderTrigger {
  const schedule = form.kind === 'interval' || form.kind === 'calendar'
  const runs = number(form.runs)
  const distance = number(form.distanceS)
  return {
    on: startOf(form),
    until_s: form.untilS,
    alone_s: form.aloneS,
    ...(runs === undefined ? {} : { rate: { runs, per_s: form.perS } }),
    ...(distance === undefined ? {} : { distance_s: distance }),
    ...(schedule ? { jitter_s: form.jitterS, late_s: form.lateS } : {}),
  }
}

/** Why it cannot stand yet. */
export function missingOfStanding(form: Standing): string | undefined {
  if ((form.kind === 'disk_below' || form.kind === 'file_changed') && !form.path.trim().startsWith('/')) return 'Say which path: it begins with a slash.'
  if (form.kind === 'service_down' && form.unit.trim() === '') return 'Say which service.'
  if (form.kind === 'ended' && form.order === '') return 'Choose the order that it waits for.'
  return undefined
}
