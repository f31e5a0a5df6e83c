const minute = 60
const hour = 3_600
const day = 86_400

export const ranges = ['1h', '6h', '24h', '7d', '30d'] as const
export type Range = (typeof ranges)[number]

/** How far back, and seconds between points: some hundreds of points, never fewer seconds than endpoints measure in. */
export const rangeSteps: Record<Range, { span: number; step: number; says: string }> = {
  '1h': { span: hour, step: minute, says: 'hour' },
  '6h': { span: 6 * hour, step: minute, says: '6 hours' },
  '24h': { span: day, step: 5 * minute, says: '24 hours' },
  '7d': { span: 7 * day, step: 30 * minute, says: '7 days' },
  '30d': { span: 30 * day, step: 2 * hour, says: '30 days' },
}
