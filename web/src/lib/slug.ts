const slug = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/

/** Whether something can be the short name of a person, a tenant or a site. */
export function isSlug(text: string): boolean {
  return slug.test(text)
}
