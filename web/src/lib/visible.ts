/** A piece of text as it may be shown: characters that would act instead of being seen are pieces of their own. */
export type Piece = { kind: 'text'; text: string } | { kind: 'control'; code: number; mark: string; name: string }

const named: Record<number, string> = {
  0x00: 'NULL',
  0x07: 'BELL',
  0x08: 'BACKSPACE',
  0x0b: 'LINE TABULATION',
  0x0c: 'FORM FEED',
  0x0d: 'CARRIAGE RETURN',
  0x1b: 'ESCAPE',
  0x7f: 'DELETE',
  0x9b: 'CONTROL SEQUENCE INTRODUCER',
  0x00ad: 'SOFT HYPHEN',
  0x034f: 'COMBINING GRAPHEME JOINER',
  0x061c: 'ARABIC LETTER MARK',
  0x200b: 'ZERO WIDTH SPACE',
  0x200c: 'ZERO WIDTH NON-JOINER',
  0x200d: 'ZERO WIDTH JOINER',
  0x200e: 'LEFT-TO-RIGHT MARK',
  0x200f: 'RIGHT-TO-LEFT MARK',
  0x2028: 'LINE SEPARATOR',
  0x2029: 'PARAGRAPH SEPARATOR',
  0x202a: 'LEFT-TO-RIGHT EMBEDDING',
  0x202b: 'RIGHT-TO-LEFT EMBEDDING',
  0x202c: 'POP DIRECTIONAL FORMATTING',
  0x202d: 'LEFT-TO-RIGHT OVERRIDE',
  0x202e: 'RIGHT-TO-LEFT OVERRIDE',
  0x2060: 'WORD JOINER',
  0x2066: 'LEFT-TO-RIGHT ISOLATE',
  0x2067: 'RIGHT-TO-LEFT ISOLATE',
  0x2068: 'FIRST STRONG ISOLATE',
  0x2069: 'POP DIRECTIONAL ISOLATE',
  0xfeff: 'ZERO WIDTH NO-BREAK SPACE',
  0xfff9: 'INTERLINEAR ANNOTATION ANCHOR',
}

const abbreviations =
  'NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'.split(' ')

// Controls, format characters, private use, unassigned, lone surrogates, and separators other than the space.
const acting = /\u{034F}|[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u{2028}\u{2029}\u{115F}\u{1160}\u{3164}\u{FFA0}\u{2800}]/u

/** Splits text that somebody else wrote; `multiline` lets line feeds and tabs through. */
export function visiblePieces(text: string, { multiline = false } = {}): Piece[] {
  // Nearly every text is harmless, and lists show thousands of them.
  if (!acting.test(text)) return text === '' ? [] : [{ kind: 'text', text }]
  const pieces: Piece[] = []
  let plain = ''
  for (const char of text) {
    if (!acting.test(char) || (multiline && (char === '\n' || char === '\t'))) {
      plain += char
      continue
    }
    if (plain !== '') pieces.push({ kind: 'text', text: plain })
    plain = ''
    pieces.push(control(char.codePointAt(0) ?? 0))
  }
  if (plain !== '') pieces.push({ kind: 'text', text: plain })
  return pieces
}

/** The same as one string, for titles, labels and the clipboard. */
export function visibleText(text: string, options?: { multiline?: boolean }): string {
  return visiblePieces(text, options)
    .map((piece) => (piece.kind === 'text' ? piece.text : piece.mark))
    .join('')
}

function control(code: number): Piece {
  const hex = code.toString(16).toUpperCase().padStart(4, '0')
  const name = named[code] ? `U+${hex} ${named[code]}` : `U+${hex}`
  // Unicode has pictures of these, which many fonts lack; their old abbreviations are known to whoever must know.
  if (code < 0x20) return { kind: 'control', code, name, mark: abbreviations[code] ?? `U+${hex}` }
  if (code === 0x7f) return { kind: 'control', code, name, mark: 'DEL' }
  return { kind: 'control', code, name, mark: `U+${hex}` }
}
