import { createElement } from 'react'
import { createRoot } from 'react-dom/client'
import { act } from 'react'
import { expect, test } from 'vitest'

import { useWishes, wish } from '~/lib/wishes'

;(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true

test('a wish is done once, by the page that can, when it is ready', async () => {
  const done: string[] = []
  const Page = ({ ready, can }: { ready: boolean; can: string }) => {
    useWishes({ [can]: () => done.push(can) }, ready)
    return null
  }
  const root = createRoot(document.createElement('div'))
  const show = (can: string, ready: boolean) => act(() => root.render(createElement(Page, { key: can, can, ready })))
  wish('save')
  await show('export', true)
  expect(done).toEqual([])
  await show('save', false)
  expect(done).toEqual([])
  await show('save', true)
  expect(done).toEqual(['save'])
  await show('export', true)
  await act(() => wish('export'))
  await show('save', true)
  expect(done).toEqual(['save', 'export'])
  await act(() => root.unmount())
})
