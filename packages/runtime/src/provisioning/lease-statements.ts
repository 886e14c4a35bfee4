import { DecodeError } from '@breakwater/core'

/** `option routers 192.0.2.1, 192.0.2.2;` or `lease { … }` */
export interface LeaseStatement {
  /** Texts in quotes without these; commas are left out. */
  readonly words: readonly string[]
  readonly block: readonly LeaseStatement[]
}

/** lease6, association, address; no block lies deeper. */
const MAXIMUM_DEPTH = 4

/**
 * Reads the statements of dhclient.leases(5).
 * @throws DecodeError `RUNTIME_LEASES_INVALID` where blocks, texts or statements have no end, or no beginning.
 */
export function leaseStatements(text: string): LeaseStatement[] {
  const tokens = text.matchAll(/"((?:[^"\\\n]|\\.)*)"|#[^\n]*|[{};,]|[^\s{};,"#]+|"/g)
  const root: LeaseStatement[] = []
  const open: LeaseStatement[][] = [root]
  let words: string[] = []
  for (const [token, quoted] of tokens) {
    const statements = open.at(-1) ?? root
    if (token === '"') throw invalid('a text has no end')
    if (quoted !== undefined) words.push(quoted)
    else if (token === '{') {
      if (open.length > MAXIMUM_DEPTH) throw invalid('blocks lie too deep')
      const block: LeaseStatement[] = []
      statements.push({ words, block })
      open.push(block)
      words = []
    } else if (token === '}') {
      if (open.length === 1 || words.length > 0) throw invalid('a block ends where it cannot')
      open.pop()
    } else if (token === ';') {
      if (words.length > 0) statements.push({ words, block: [] })
      words = []
    } else if (token !== ',' && !token.startsWith('#')) words.push(token)
  }
  if (open.length > 1 || words.length > 0) throw invalid('it ends in the middle; is it being written?')
  return root
}

function invalid(what: string): DecodeError {
  return new DecodeError('RUNTIME_LEASES_INVALID', what)
}
