/** Whether every word of the query begins somewhere in a word of the text, in any order. */
export function matches(text: string, query: string): boolean {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const within = text.toLowerCase()
  return words.every((word) => within.includes(word))
}
