/** What stands in the built page where the server puts a fresh nonce. */
export const nonceMark = '__CSP_NONCE__'

/**
 * The policy the console's server sends (docs/guide/console.md), for the dev server and the tests.
 *
 * Live reload needs three things the product does not have: the module preamble of Fast Refresh is an inline script (it
 * carries the nonce), its socket, and a Trusted Types policy of Vite's client.
 */
export function contentSecurityPolicy(nonce: string, { dev }: { dev: boolean }): string {
  return [
    "default-src 'none'",
    `script-src 'self'${dev ? ` 'nonce-${nonce}'` : ''}`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' blob: data:",
    "font-src 'self'",
    `connect-src 'self'${dev ? ' ws://127.0.0.1:* ws://localhost:*' : ''}`,
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    `trusted-types ${dev ? "'allow-duplicates' vite" : "'none'"}`,
  ].join('; ')
}
