import { useQuery } from '@tanstack/react-query'

import { api } from '~/api/client'
import { meQuery } from '~/api/queries'
import { endSession, useSession } from '~/api/session'
import { setPreferences, usePreferences } from '~/lib/preferences'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Check, Field, Select } from '~/ui/Field'
import { Card, Facts, PageBody, PageHead } from '~/ui/Layout'
import { Loading } from '~/ui/States'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'
import { Words } from '~/ui/Words'

import { Passkeys } from './Passkeys'

function leave(): void {
  void api.DELETE('/api/v1/session').catch(() => undefined)
  endSession('left')
}

/** How this browser shows things, and what this console is. Nothing here changes what anybody may do. */
export function SettingsPage() {
  const me = useQuery(meQuery())
  const session = useSession()
  const shown = usePreferences()
  const { key, organisation, server, operator } = me.data ?? {}
  return (
    <>
      <PageHead title="Settings" under="Of this browser. Who may do what is under Trust." />
      <PageBody className="lg:grid! lg:grid-cols-2 lg:items-start">
        <Card title="Looks">
          <div className="flex flex-col gap-3">
            <Field className="max-w-60" label="Theme">
              {(ids) => (
                <Select {...ids} onChange={(event) => setPreferences({ theme: event.target.value as 'system' | 'light' | 'dark' })} value={shown.theme}>
                  <option value="system">as the system</option>
                  <option value="light">light</option>
                  <option value="dark">dark</option>
                </Select>
              )}
            </Field>
            <Check
              checked={shown.singleKeys}
              label="Single keys act (j, k, x, r, a, !). Ctrl-K and Ctrl-Enter work always."
              onChange={(event) => setPreferences({ singleKeys: event.target.checked })}
            />
          </div>
        </Card>
        <Card title="This page">
          <Facts
            rows={[
              ['Session', session.kind === 'open' ? <span key="session">ends <Time at={session.expires} /></span> : 'ended'],
              ['Pages open', me.data?.pages ?? '…'],
              ['Console', me.data ? <Untrusted key="version" text={`bartizan ${me.data.version}`} /> : '…'],
            ]}
          />
          <div className="mt-3">
            <Button onClick={leave}>End this session</Button>
          </div>
        </Card>
        <Card title="Your key">
          {key && operator ? (
            <Facts
              rows={[
                ['Operator', <span key="operator"><Untrusted text={operator.name} /> <code className="text-ink-3">{operator.id}</code></span>],
                ['May', <span className="flex flex-wrap gap-1" key="roles">{operator.roles.map((role) => <Badge key={role}>{role}</Badge>)}</span>],
                ['Key', <code className="break-all" key="key">{key.fingerprint}</code>],
                ['Kind', `${key.key_type}${key.hardware ? ', held by hardware' : ', a file: whoever copies it is you'}`],
              ]}
            />
          ) : me.data ? (
            <p className="text-ink-2">This console has no key that the organisation knows yet. Make a passkey below, or a key with <code>bartizan key new</code>.</p>
          ) : (
            <Loading lines={4} />
          )}
        </Card>
        {me.data && <Passkeys me={me.data} />}
        <Card title="Organisation">
          {organisation && server ? (
            <>
              <Facts
                rows={[
                  ['Anchor', <code className="break-all" key="anchor">{organisation.anchor}</code>],
                  ['Server', <Untrusted key="server" text={server.address} />],
                  ['TLS key, pinned', <code className="break-all" key="spki">{server.spki}</code>],
                ]}
              />
              <div className="mt-3">
                <Words size="sm" words={organisation.words} />
              </div>
            </>
          ) : me.data ? (
            <p className="text-ink-2">None yet. The list under Start says how to found or join one.</p>
          ) : (
            <Loading lines={4} />
          )}
        </Card>
      </PageBody>
    </>
  )
}
