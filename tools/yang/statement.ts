/** One statement of a YANG module (RFC 7950 §6.3). */
export interface Statement {
  readonly keyword: string
  /** Empty when there is none. */
  readonly argument: string
  readonly inside: readonly Statement[]
}

/** Comments, strings, the three signs, and everything else up to a blank (RFC 7950 §6.1). */
const tokenPattern = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\]|\\[\s\S])*"|'[^']*'|[{};]|[^\s{};"']+/g

/** Reads the text of one module; the result is its `module` statement. */
export function parseModule(text: string): Statement {
  const tokens = (text.match(tokenPattern) ?? []).filter((token) => !/^\/[/*]/.test(token))
  const { statement, next } = parseStatement(tokens, 0)
  if (next !== tokens.length) throw new Error(`something follows the module ${statement.argument}`)
  return statement
}

function parseStatement(tokens: readonly string[], start: number): { statement: Statement; next: number } {
  const keyword = tokens[start] ?? ''
  let at = start + 1
  let argument = ''
  while (tokens[at] !== ';' && tokens[at] !== '{') {
    const token = tokens[at]
    if (token === undefined || token === '}') throw new Error(`the statement ${keyword} has no end`)
    // RFC 7950 §6.1.3: quoted strings are joined by "+".
    if (token !== '+') argument += unquoted(token)
    at++
  }
  const inside: Statement[] = []
  if (tokens[at] === '{')
    for (at++; tokens[at] !== '}';) {
      const inner = parseStatement(tokens, at)
      inside.push(inner.statement)
      at = inner.next
    }
  return { statement: { keyword, argument, inside }, next: at + 1 }
}

function unquoted(token: string): string {
  return /^["']/.test(token) ? token.slice(1, -1) : token
}

/** The first substatement of that keyword. */
export function child(statement: Statement, keyword: string): Statement | undefined {
  return statement.inside.find((inner) => inner.keyword === keyword)
}

/** Its argument; empty when there is none. */
export function argumentOf(statement: Statement, keyword: string): string {
  return child(statement, keyword)?.argument ?? ''
}
