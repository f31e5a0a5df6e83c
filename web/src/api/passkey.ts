import type { Assertion, PasskeyRequest } from './schema'

/**
 * Asks the browser for a signature over the challenge, which is the digest of the statement. The operator process checks the
 * answer, its origin and its flags; nothing is decided here.
 */
export async function assertWithPasskey(request: PasskeyRequest): Promise<Assertion> {
  const credential = await navigator.credentials.get({
    publicKey: {
      challenge: fromBase64Url(request.challenge),
      rpId: request.rp_id,
      allowCredentials: [{ type: 'public-key', id: fromBase64Url(request.credential) }],
      userVerification: 'required',
    },
  })
  if (!(credential instanceof PublicKeyCredential) || !(credential.response instanceof AuthenticatorAssertionResponse)) {
    throw new Error('the browser gave no assertion')
  }
  const { authenticatorData, clientDataJSON, signature } = credential.response
  return {
    authenticator_data: toBase64Url(authenticatorData),
    client_data: toBase64Url(clientDataJSON),
    signature: toBase64Url(signature),
  }
}

export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = new Uint8Array(new ArrayBuffer(binary.length))
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at)
  return bytes
}

export function toBase64Url(buffer: ArrayBuffer): string {
  let binary = ''
  for (const byte of new Uint8Array(buffer)) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
