import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { treeQuery } from '~/api/queries'
import type { EnrolmentRequest } from '~/api/schema'
import { isSlug } from '~/lib/slug'
import { Button } from '~/ui/Button'
import { Dialog } from '~/ui/Dialog'
import { Check, Field, Input, Select } from '~/ui/Field'

/** Whose new endpoints are, how many may come and until when. The signing sheet follows, and after it the command. */
export function EnrolDialog({ onClose, onSign }: { onClose: () => void; onSign: (request: EnrolmentRequest) => void }) {
  const tree = useQuery(treeQuery())
  const [tenant, setTenant] = useState('')
  const [site, setSite] = useState('')
  const [uses, setUses] = useState('10')
  const [days, setDays] = useState(7)
  const [manual, setManual] = useState(false)
  const branches = tree.data?.tenants ?? []
  const sites = branches.find((branch) => branch.tenant === tenant)?.sites ?? []
  const count = Number(uses)
  const problems = {
    tenant: tenant !== '' && !isSlug(tenant) && 'Small letters, digits and hyphens.',
    site: site !== '' && !isSlug(site) && 'Small letters, digits and hyphens.',
    uses: (!Number.isSafeInteger(count) || count < 1 || count > 10_000) && 'A number from 1 to 10,000.',
  }
  const missing = tenant === '' || site === '' ? 'Name a tenant and a site.' : undefined
  const reason = missing ?? (Object.values(problems).some(Boolean) ? 'Correct what is marked.' : undefined)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!reason) onSign({ tenant, site, uses: count, expires_s: days * 86_400, manual, labels: [] })
  }
  return (
    <Dialog
      description="You sign whose they are. The command that comes out goes to each of them."
      footer={
        <>
          <Button onClick={onClose} size="lg">
            Cancel
          </Button>
          <Button disabledReason={reason} form="enrol-form" icon="key" look="primary" size="lg" type="submit">
            Show the enrolment
          </Button>
        </>
      }
      onClose={onClose}
      open
      size="sm"
      title="Enrol endpoints"
    >
      <form className="grid gap-3 sm:grid-cols-2" id="enrol-form" onSubmit={submit}>
        <Field error={problems.tenant} label="Tenant">
          {(ids) => <Input {...ids} list="enrol-tenants" maxLength={64} onChange={(event) => setTenant(event.target.value)} placeholder="acme" value={tenant} />}
        </Field>
        <Field error={problems.site} label="Site">
          {(ids) => <Input {...ids} list="enrol-sites" maxLength={64} onChange={(event) => setSite(event.target.value)} placeholder="hq" value={site} />}
        </Field>
        <Field error={problems.uses} label="How many endpoints">
          {(ids) => <Input {...ids} inputMode="numeric" onChange={(event) => setUses(event.target.value)} value={uses} />}
        </Field>
        <Field label="Good for">
          {(ids) => (
            <Select {...ids} onChange={(event) => setDays(Number(event.target.value))} value={days}>
              <option value={1}>1 day</option>
              <option value={7}>7 days</option>
              <option value={30}>30 days</option>
            </Select>
          )}
        </Field>
        <Check
          checked={manual}
          className="sm:col-span-2"
          label="Hold each new endpoint in quarantine until somebody lets it in"
          onChange={(event) => setManual(event.target.checked)}
        />
        <datalist id="enrol-tenants">
          {branches.map((branch) => branch.tenant && <option key={branch.tenant}>{branch.tenant}</option>)}
        </datalist>
        <datalist id="enrol-sites">
          {sites.map((one) => one.site && <option key={one.site}>{one.site}</option>)}
        </datalist>
      </form>
    </Dialog>
  )
}
