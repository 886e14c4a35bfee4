import type { TSchema } from 'typebox'

/** One key of a configuration, as a row of the reference page. */
export interface OptionRow {
  /** `domains[].server.port` */
  readonly path: string
  readonly type: string
  /** Empty: the key must be given. */
  readonly fallback: string
  readonly text: string
}

/** The part of a schema that the page shows. */
interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly const?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
  readonly description?: string
  readonly 'x-format'?: string
  readonly 'x-source'?: string
}

/** Every key of a schema, from the top, in the order of its declaration. */
export function optionRows(schema: TSchema): OptionRow[] {
  return rowsBelow(schema, '')
}

function rowsBelow(node: SchemaNode, path: string): OptionRow[] {
  if (node.anyOf !== undefined)
    return uniqueRows(node.anyOf.flatMap((alternative) => rowsBelow(alternative, path)))
  if (node.type === 'array' && node.items !== undefined) return rowsBelow(node.items, `${path}[]`)
  return Object.entries(node.properties ?? {}).flatMap(([key, option]) => {
    const here = path === '' ? key : `${path}.${key}`
    return [rowOf(option, here, node.required?.includes(key) === true), ...rowsBelow(option, here)]
  })
}

/** Alternatives share keys, such as `kind`: their words stand in one row. */
function uniqueRows(rows: readonly OptionRow[]): OptionRow[] {
  const merged = new Map<string, OptionRow>()
  for (const row of rows) {
    const before = merged.get(row.path)
    merged.set(
      row.path,
      before === undefined
        ? row
        : {
            ...row,
            type: `${before.type}, ${row.type}`,
            text: `${before.type}: ${before.text} ${row.type}: ${row.text}`
          }
    )
  }
  return [...merged.values()]
}

function rowOf(option: SchemaNode, path: string, required: boolean): OptionRow {
  const source = option['x-source']
  const description = option.description ?? ''
  return {
    path,
    type: typeOf(option),
    fallback: required ? '' : fallbackOf(option.default),
    text: source === undefined ? description : `${description} ${source}.`
  }
}

function fallbackOf(value: unknown): string {
  if (value === undefined) return 'none'
  if (Array.isArray(value) && value.length > 0) return value.map((one) => fallbackOf(one)).join(', ')
  return typeof value === 'object' ? 'empty' : `\`${JSON.stringify(value)}\``
}

function typeOf(option: SchemaNode): string {
  if (option.anyOf !== undefined) {
    const words = option.anyOf.filter((alternative) => 'const' in alternative)
    return words.length > 0
      ? words.map((word) => `\`${String(word.const)}\``).join(', ')
      : 'one of several sections'
  }
  if ('const' in option) return `\`${String(option.const)}\``
  switch (option.type ?? 'string') {
    case 'object':
      return 'section'
    case 'array':
      return option.items?.type === 'object' ||
        option.items?.anyOf?.some(({ type }) => type === 'object') === true
        ? 'list of sections'
        : `list of ${typeOf(option.items ?? {})}`
    case 'integer':
    case 'number':
      return `${option.minimum} … ${option.maximum}`
    case 'boolean':
      return '`true`, `false`'
    case 'string':
      return (option['x-format'] ?? 'text').replaceAll('-', ' ')
  }
}
