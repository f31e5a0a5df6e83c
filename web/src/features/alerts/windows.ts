import type { MaintenanceWindow } from '~/api/schema'
import { exact } from '~/lib/time'

/** What the form holds: texts, as they are typed. */
export type WindowForm = {
  name: string
  how: 'now' | 'once' | 'again'
  hours: string
  from: string
  until: string
  cron: string
  zone: string
  minutes: string
  tenant: string
  site: string
  endpoint: string
  check: string
}

export function emptyForm(zone: string): WindowForm {
  return { name: '', how: 'now', hours: '2', from: '', until: '', cron: '0 3 * * 0', zone, minutes: '120', tenant: '', site: '', endpoint: '', check: '' }
}

const hour = 3_600
const weekHours = 7 * 24
const weekMinutes = weekHours * 60

/** Seconds of what a `datetime-local` field holds: this computer's own zone. */
function secondsOf(text: string): number | undefined {
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.floor(at / 1000)
}

/** The window, or what is missing. The server judges the rest, and says all that is wrong. */
export function windowOf(form: WindowForm, now: number): MaintenanceWindow | string {
  const name = form.name.trim()
  if (name === '') return 'Give it a name.'
  const of = (text: string) => (text.trim() === '' ? {} : { value: text.trim() })
  const place: Partial<MaintenanceWindow> = {}
  for (const key of ['tenant', 'site', 'endpoint', 'check'] as const) {
    const { value } = of(form[key])
    if (value !== undefined) place[key] = value
  }
  if (form.how === 'now') {
    const hours = Number(form.hours)
    if (!(hours > 0 && hours <= weekHours)) return 'Between a few minutes and a week, in hours.'
    return { name, ...place, from: now, until: now + Math.round(hours * hour) }
  }
  if (form.how === 'once') {
    const [from, until] = [secondsOf(form.from), secondsOf(form.until)]
    if (from === undefined || until === undefined) return 'Say when it begins and when it ends.'
    if (until <= from) return 'It ends before it begins.'
    if (until <= now) return 'It would be over already.'
    return { name, ...place, from, until }
  }
  const minutes = Number(form.minutes)
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > weekMinutes) return 'Minutes are a whole number, at most a week.'
  if (form.cron.trim().split(/\s+/).length !== 5) return 'Five parts: minute, hour, day, month, weekday.'
  if (form.zone.trim() === '') return 'Name a time zone, such as Europe/Berlin.'
  return { name, ...place, cron: form.cron.trim().split(/\s+/).join(' '), zone: form.zone.trim(), minutes }
}

/** What it applies to, in words. */
export function placeOf(window: MaintenanceWindow): string {
  const parts = [
    window.tenant && `tenant ${window.tenant}`,
    window.site && `site ${window.site}`,
    window.endpoint && `endpoint ${window.endpoint}`,
    window.check && `check ${window.check}`,
  ].filter(Boolean)
  return parts.length === 0 ? 'everything' : parts.join(', ')
}

export type Standing = 'now' | 'later' | 'over' | 'again'

export function standingOf(window: MaintenanceWindow, now: number): Standing {
  if (window.from == null || window.until == null) return 'again'
  if (now >= window.until) return 'over'
  return now >= window.from ? 'now' : 'later'
}

/** When it is, in words. */
export function timeOf(window: MaintenanceWindow): string {
  if (window.from != null && window.until != null) return `${exact(window.from)} to ${exact(window.until)}`
  return `at ${window.cron ?? '?'} in ${window.zone ?? '?'}, ${window.minutes ?? '?'} minutes`
}
