/** A name that is a name, whatever the answer said: no folders, nothing hidden. */
export function fileName(name: string): string {
  const bare = name.replaceAll(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '')
  return bare === '' ? 'file' : bare.slice(0, 100)
}

/** Text as base64 of its bytes. */
export function base64(text: string): string {
  let binary = ''
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** Lets the browser save exact bytes. */
export function saveFile(file: { name: string; base64: string }): void {
  const binary = atob(file.base64)
  const bytes = new Uint8Array(new ArrayBuffer(binary.length))
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at)
  saveBlob(file.name, new Blob([bytes], { type: 'application/octet-stream' }))
}

/** The same of what is bytes already. */
export function saveBlob(name: string, blob: Blob): void {
  const address = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = address
  link.download = fileName(name)
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
