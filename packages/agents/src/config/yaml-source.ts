import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { Document, Node, Pair } from 'yaml'
import type { ConfigProblem } from '@breakwater/core'
import type { ConfigPath } from './shape.ts'

/** A configuration longer than this is refused unread. */
export const MAXIMUM_CONFIG_BYTES: number = 1_048_576

/** Aliases that expand to more nodes than this are refused: a few lines could fill the memory. */
const maximumAliases = 100

/** A parsed YAML text that still knows where everything stands. */
export class YamlSource {
  /** What the text says; undefined when `unreadable`. */
  readonly value: unknown
  /** Mistakes of the YAML itself. */
  readonly problems: readonly ConfigProblem[]
  /** True: the YAML is so broken that looking at its content would only report mistakes that are none. */
  readonly unreadable: boolean
  readonly #document: Document
  readonly #lines = new LineCounter()

  constructor(text: string) {
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, stringKeys: true })
    const problems = this.#document.errors.map(({ message, pos }) => this.#yamlProblem(message, pos[0]))
    problems.push(...this.#danglingAliases())
    let broken =
      this.#document.errors.some((error) => error.code !== 'DUPLICATE_KEY') ||
      problems.length > this.#document.errors.length
    let value: unknown
    try {
      if (!broken) value = this.#document.toJS({ maxAliasCount: maximumAliases })
    } catch (error) {
      broken = true
      problems.push(this.#yamlProblem(error instanceof Error ? error.message : String(error), 0))
    }
    this.value = value
    this.problems = problems
    this.unreadable = broken
  }

  /** A problem of the content, with its place in the text: of the key itself, of its value, or of what is nearest. */
  locate(path: ConfigPath, message: string, atKey = false): ConfigProblem {
    const offset = this.#offsetOf(path, atKey)
    const { line, col } = this.#lines.linePos(offset)
    return { path: formatConfigPath(path), message, line: Math.max(line, 1), column: Math.max(col, 1) }
  }

  #danglingAliases(): ConfigProblem[] {
    const problems: ConfigProblem[] = []
    visit(this.#document, {
      Alias: (_, alias) => {
        if (alias.resolve(this.#document) === undefined)
          problems.push(
            this.#yamlProblem(`no anchor stands before the alias *${alias.source}`, startOf(alias) ?? 0)
          )
      }
    })
    return problems
  }

  #yamlProblem(message: string, offset: number): ConfigProblem {
    const { line, col } = this.#lines.linePos(offset)
    return { path: '', message: `YAML: ${message}`, line: Math.max(line, 1), column: Math.max(col, 1) }
  }

  #offsetOf(path: ConfigPath, atKey: boolean): number {
    let node: Node | null = this.#document.contents
    let offset = startOf(node) ?? 0
    for (const [depth, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(this.#document) ?? null
      const pair = isMap(node) ? node.items.find((item) => keyOf(item) === String(step)) : undefined
      const keyOffset = startOf(pair?.key as Node | null)
      if (atKey && depth === path.length - 1) return keyOffset ?? offset
      node = childOf(node, pair, step)
      // A section's own start is its first key; the key above it is what a reader looks for.
      const start = isScalar(node) || isAlias(node) ? startOf(node) : undefined
      offset = start ?? keyOffset ?? startOf(node) ?? offset
    }
    return offset
  }
}

function keyOf(pair: Pair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined
}

function childOf(node: Node | null, pair: Pair | undefined, step: string | number): Node | null {
  if (isSeq(node)) return (node.items[Number(step)] as Node | undefined) ?? null
  return (pair?.value as Node | null | undefined) ?? null
}

function startOf(node: Node | null | undefined): number | undefined {
  return node?.range?.[0]
}

/** `domains[0].server.port` */
export function formatConfigPath(path: ConfigPath): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    ''
  )
}
