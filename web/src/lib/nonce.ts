/** The nonce of this answer, for the style elements of the editor and of the primitives. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ''
}
