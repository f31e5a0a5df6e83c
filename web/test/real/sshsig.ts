/** The parts of OpenSSH's formats that an attacker needs who has a passkey's answer: lengths of four bytes before each field. */

class Fields {
  #at = 0
  readonly #bytes: Buffer
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }
  skip(count: number): Buffer {
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }
  field(): Buffer {
    return this.skip(this.skip(4).readUInt32BE())
  }
}

function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

export type Answer = { authenticatorData: string; clientData: string; signature: string }

/** An honest signature of a passkey with another answer of the same passkey in it. */
export function withAnswer(honest: Buffer, answer: Answer): Buffer {
  const outer = new Fields(honest)
  const head = outer.skip(10)
  const [key, namespace, reserved, hash, form] = [outer.field(), outer.field(), outer.field(), outer.field(), outer.field()]
  const algorithm = new Fields(form).field()
  const client = Buffer.from(answer.clientData, 'base64url')
  const data = Buffer.from(answer.authenticatorData, 'base64url')
  const { origin } = JSON.parse(client.toString('utf8')) as { origin: string }
  // Flags and counter follow the digest of the relying party.
  const made = [field(algorithm), field(numbers(Buffer.from(answer.signature, 'base64url'))), data.subarray(32, 37), field(Buffer.from(origin)), field(client), field(Buffer.alloc(0))]
  return Buffer.concat([head, field(key), field(namespace), field(reserved), field(hash), field(Buffer.concat(made))])
}

/** DER's two integers are those of OpenSSH, with other lengths before them. */
function numbers(der: Buffer): Buffer {
  const first = 4 + (der[3] ?? 0)
  return Buffer.concat([field(der.subarray(4, first)), field(der.subarray(first + 2, first + 2 + (der[first + 1] ?? 0)))])
}
