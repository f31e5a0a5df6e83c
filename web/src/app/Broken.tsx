import type { ErrorComponentProps } from '@tanstack/react-router'
import { Link } from '@tanstack/react-router'

import { problemOf } from '~/api/client'
import { PageBody, PageHead } from '~/ui/Layout'
import { Empty, ErrorBox } from '~/ui/States'

/** A page that could not be drawn says so, and the rest of the console goes on. */
export function Crashed({ error, reset }: ErrorComponentProps) {
  return (
    <>
      <PageHead title="This page broke" />
      <PageBody>
        <ErrorBox problem={problemOf(error)} retry={reset} />
      </PageBody>
    </>
  )
}

export function NoSuchPage() {
  return (
    <>
      <PageHead title="No such page" />
      <Empty
        action={
          <Link className="text-accent underline" to="/">
            Start
          </Link>
        }
        icon="search"
        title="Nothing has this address"
      >
        It may come from another version of the console. Ctrl-K finds every page.
      </Empty>
    </>
  )
}
