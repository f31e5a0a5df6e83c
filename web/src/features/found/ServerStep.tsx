import { Command } from '~/ui/Copy'
import { Area, Field, Input } from '~/ui/Field'

export type Server = { identity: string; address: string }

/** Why a server cannot be asked yet. */
export function missingOf(server: Server): string | undefined {
  if (server.identity.trim() === '') return 'Paste what the server printed.'
  if (!/^\S+:\d{1,5}$/.test(server.address.trim())) return 'Say where your consoles reach it, like 10.0.0.5:8443.'
  return undefined
}

/** Which server: its identity by a way that one trusts, and where it is. */
export function ServerStep({ server, onServer }: { server: Server; onServer: (server: Server) => void }) {
  return (
    <>
      <div>
        <p className="mb-1.5 font-medium">On the server, run</p>
        <Command label="command for the server" text="bartizan-server identity" />
      </div>
      <Field hint="Its keys. From now on no other server can pose as this one." label="Paste all that it printed">
        {(ids) => <Area {...ids} className="font-mono" onChange={(event) => onServer({ ...server, identity: event.target.value })} placeholder="{…}" rows={6} value={server.identity} />}
      </Field>
      <Field className="max-w-90" hint="Its operator plane, as your computers reach it." label="Address">
        {(ids) => <Input {...ids} maxLength={255} onChange={(event) => onServer({ ...server, address: event.target.value })} placeholder="10.0.0.5:8443" value={server.address} />}
      </Field>
    </>
  )
}
