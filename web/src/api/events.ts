import { type QueryClient, useQueryClient } from '@tanstack/react-query'
import { useEffect, useEffectEvent, useState } from 'react'

import { request } from './client'
import { forget } from './queries'
import type { News } from './schema'
import { EventParser } from './event-parser'

export type LiveState = 'opening' | 'live'

/** Waits longer after each failure, and never together with other pages. */
export function pause(attempt: number, random: number): number {
  return Math.min(30_000, 500 * 2 ** Math.min(attempt, 6)) * (0.5 + random / 2)
}

/** Reads a stream of news until it ends or the signal says so. */
async function read(path: string, signal: AbortSignal, onOpen: () => void, onNews: (news: News) => void): Promise<void> {
  const response = await request(path, { signal, headers: { accept: 'text/event-stream' } })
  if (!response.ok || !response.body) throw new Error(`the stream answered ${response.status}`)
  onOpen()
  const parser = new EventParser()
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    for (const data of parser.feed(value)) {
      const news = parseNews(data)
      if (news) onNews(news)
    }
  }
}

/** A datum that is no news of ours is passed over: the next look at the lists shows what it was about. */
export function parseNews(data: string): News | undefined {
  try {
    const value: unknown = JSON.parse(data)
    return typeof value === 'object' && value !== null && 'kind' in value ? (value as News) : undefined
  } catch {
    return undefined
  }
}

/** Keeps the lists of the page fresh. */
export function useLiveNews(): LiveState {
  const queries = useQueryClient()
  const [state, setState] = useState<LiveState>('opening')
  useEffect(() => {
    const stop = new AbortController()
    void keepReading('/api/v1/events', stop.signal, setState, (news) => apply(queries, news))
    return () => stop.abort()
  }, [queries])
  return state
}

async function keepReading(path: string, signal: AbortSignal, onState: (state: LiveState) => void, onNews: (news: News) => void): Promise<void> {
  let attempt = 0
  while (!signal.aborted) {
    try {
      await read(
        path,
        signal,
        () => {
          attempt = 0
          onState('live')
        },
        onNews,
      )
    } catch {
      // The next look will tell; what is shown says meanwhile that it is not live.
    }
    if (signal.aborted) return
    onState('opening')
    await new Promise((resolve) => setTimeout(resolve, pause(attempt, Math.random())))
    attempt += 1
  }
}

const makesOld: Record<News['kind'], readonly string[]> = {
  fleet: ['fleet', 'overview'],
  jobs: ['jobs', 'approvals', 'overview', 'scripts', 'policies'],
  control: ['freezes', 'trust', 'approvals', 'overview', 'me', 'logs', 'policies'],
  freeze: ['freezes'],
  alerts: ['alerts', 'overview'],
  target: [],
  output: [],
  ended: [],
  trouble: ['me', 'overview'],
}

/** News come in bursts; each list is asked for at most once a second. */
const waiting = new Set<string>()
let timer: ReturnType<typeof setTimeout> | undefined

function apply(queries: QueryClient, news: News): void {
  for (const key of makesOld[news.kind] ?? []) waiting.add(key)
  if (waiting.size === 0) return
  timer ??= setTimeout(() => {
    timer = undefined
    forget(queries, [...waiting])
    waiting.clear()
  }, 1_000)
}

/** News of one job, while it runs. */
export function useJobNews(id: string, wanted: boolean, onNews: (news: News) => void): void {
  const heard = useEffectEvent(onNews)
  useEffect(() => {
    if (!wanted) return undefined
    const stop = new AbortController()
    read(`/api/v1/jobs/${encodeURIComponent(id)}/events`, stop.signal, () => undefined, (news) => heard(news)).catch(() => undefined)
    return () => stop.abort()
  }, [id, wanted])
}
