import 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the mock build is served. */
    origin: string
  }
}
