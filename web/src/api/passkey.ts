import type { Assertion, PasskeyOptions, PasskeyRequest } from './schema'

/**
 * Asks the browser for a signature over the challenge, which is the digest of the statement. The operator process checks the
 * answer, its origin and its flags; nothing is decided here.
 */
export async function assertWithPasskey(request: PasskeyRequest): Promise<Assertion> {
  const credential = await navigator.credentials.get({
    publicKey: {
      challenge: fromBase64Url(request.challenge),
      rpId: request.rp_id,
      allowCredentials: request.credentials.map((id) => ({ type: 'public-key', id: fromBase64Url(id) })),
      userVerification: 'required',
    },
  })
  if (!(credential instanceof PublicKeyCredential) || !(credential.response instanceof AuthenticatorAssertionResponse)) {
    throw new Error('the browser gave no assertion')
  }
  const { authenticatorData, clientDataJSON, signature } = credential.response
  return {
    credential: toBase64Url(credential.rawId),
    authenticator_data: toBase64Url(authenticatorData),
    client_data: toBase64Url(clientDataJSON),
    signature: toBase64Url(signature),
  }
}

/** Asks the browser for a new passkey that is for this console only. */
export async function createPasskey(options: PasskeyOptions, who: { id: string; name: string }): Promise<{ authenticator_data: string; client_data: string }> {
  const credential = await navigator.credentials.create({
    publicKey: {
      challenge: fromBase64Url(options.challenge),
      rp: { id: options.rp_id, name: options.rp_name },
      user: { id: fromBase64Url(options.user_id), name: who.id, displayName: who.name },
      // ES256: what the organisation's bundle can name.
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
      excludeCredentials: options.exclude.map((id) => ({ type: 'public-key', id: fromBase64Url(id) })),
      authenticatorSelection: { userVerification: 'required', residentKey: 'preferred' },
      attestation: 'none',
    },
  })
  if (!(credential instanceof PublicKeyCredential) || !(credential.response instanceof AuthenticatorAttestationResponse)) {
    throw new Error('the browser made no passkey')
  }
  return { authenticator_data: toBase64Url(credential.response.getAuthenticatorData()), client_data: toBase64Url(credential.response.clientDataJSON) }
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
