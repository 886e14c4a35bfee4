import type { TSchema } from 'typebox'
import { nearestWord } from './nearest-word.ts'
import type { OptionFormat } from './option.ts'
import type { FormatCheck } from './text-format.ts'

/** Where something stands in a configuration: keys and list positions from the top. */
export type ConfigPath = readonly (string | number)[]

/** A mistake, before it is known where in the file it stands. */
export interface ShapeProblem {
  readonly path: ConfigPath
  readonly message: string
  /** True: the key itself is the mistake, not its value. */
  readonly atKey?: boolean
}

export interface ShapeVerdict {
  /** The value with defaults filled in; what is wrong is undefined in it. */
  readonly value: unknown
  readonly problems: readonly ShapeProblem[]
}

/** The part of a schema that this walk reads; `option.ts` makes no other. */
interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly items?: SchemaNode
  readonly minItems?: number
  readonly maxItems?: number
  readonly anyOf?: readonly SchemaNode[]
  readonly const?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
  readonly 'x-format'?: OptionFormat
}

type Formats = Readonly<Partial<Record<OptionFormat, FormatCheck>>>

/**
 * Compares a value with an option schema and reports every mistake, not only the first. Typebox's own errors are for
 * programs: they say that a union does not match, not which word of it is wrong.
 */
export function checkShape(schema: TSchema, value: unknown, formats: Formats): ShapeVerdict {
  const problems: ShapeProblem[] = []
  const checked = new ShapeCheck(formats, problems).check(schema, value, [])
  return { value: checked, problems }
}

class ShapeCheck {
  readonly #formats: Formats
  readonly #problems: ShapeProblem[]

  constructor(formats: Formats, problems: ShapeProblem[]) {
    this.#formats = formats
    this.#problems = problems
  }

  check(schema: SchemaNode, value: unknown, path: ConfigPath): unknown {
    if (schema.anyOf !== undefined) return this.#checkAlternatives(schema.anyOf, value, path)
    if ('const' in schema) return this.#checkWord([schema], value, path)
    if (schema.type === 'object') return this.#checkSection(schema, value, path)
    if (schema.type === 'array') return this.#checkList(schema, value, path)
    if (schema.type === 'string') return this.#checkText(schema, value, path)
    if (schema.type === 'integer' || schema.type === 'number') return this.#checkNumber(schema, value, path)
    return typeof value === 'boolean'
      ? value
      : this.#report(path, `must be true or false, not ${shown(value)}`)
  }

  #report(path: ConfigPath, message: string, atKey = false): undefined {
    this.#problems.push(atKey ? { path, message, atKey } : { path, message })
  }

  #checkSection(schema: SchemaNode, value: unknown, path: ConfigPath): unknown {
    if (!isSection(value)) return this.#report(path, `must be a section of keys, not ${shown(value)}`)
    const properties = schema.properties ?? {}
    const known = Object.keys(properties)
    for (const key of Object.keys(value))
      if (!known.includes(key)) this.#report([...path, key], unknownKey(key, known), true)
    const result: Record<string, unknown> = {}
    for (const [key, option] of Object.entries(properties)) {
      const given = Object.hasOwn(value, key) ? value[key] : undefined
      const present = given ?? structuredClone(option.default)
      if (present !== undefined) result[key] = this.check(option, present, [...path, key])
      else if (given === null) this.#report([...path, key], 'has no value')
      else if (schema.required?.includes(key) === true) this.#report(path, `the key "${key}" is missing`)
    }
    return result
  }

  #checkList(schema: SchemaNode, value: unknown, path: ConfigPath): unknown {
    if (!Array.isArray(value)) return this.#report(path, `must be a list, not ${shown(value)}`)
    const { minItems = 0, maxItems = Infinity, items = {} } = schema
    if (value.length < minItems)
      this.#report(path, `must have at least ${minItems} ${minItems === 1 ? 'item' : 'items'}`)
    if (value.length > maxItems)
      return this.#report(path, `has ${value.length} items, more than the ${maxItems} allowed`)
    return value.map((item: unknown, index) => this.check(items, item, [...path, index]))
  }

  #checkText(schema: SchemaNode, value: unknown, path: ConfigPath): unknown {
    if (typeof value !== 'string') {
      const quotes = typeof value === 'number' || typeof value === 'boolean' ? ' (put it in quotes)' : ''
      return this.#report(path, `must be text, not ${shown(value)}${quotes}`)
    }
    const format = schema['x-format']
    const fault = format === undefined ? undefined : this.#formats[format]?.(value)
    return fault === undefined ? value : this.#report(path, fault)
  }

  #checkNumber(schema: SchemaNode, value: unknown, path: ConfigPath): unknown {
    const whole = schema.type === 'integer'
    if (typeof value !== 'number' || !(whole ? Number.isInteger(value) : Number.isFinite(value)))
      return this.#report(path, `must be a ${whole ? 'whole ' : ''}number, not ${shown(value)}`)
    const { minimum = -Infinity, maximum = Infinity } = schema
    if (value >= minimum && value <= maximum) return value
    return this.#report(path, `${value} is outside of ${minimum} … ${maximum}`)
  }

  #checkAlternatives(alternatives: readonly SchemaNode[], value: unknown, path: ConfigPath): unknown {
    if (alternatives.every((alternative) => 'const' in alternative))
      return this.#checkWord(alternatives, value, path)
    const kinds = alternatives.flatMap((alternative) => alternative.properties?.['kind'] ?? [])
    if (isSection(value) && kinds.length === alternatives.length) {
      const chosen = alternatives.find(({ properties }) => properties?.['kind']?.const === value['kind'])
      if (chosen !== undefined) return this.check(chosen, value, path)
      if (value['kind'] === undefined || value['kind'] === null)
        return this.#report(path, `the key "kind" is missing: ${words(kinds)}`)
      return this.#checkWord(kinds, value['kind'], [...path, 'kind'])
    }
    return this.#checkLikeliest(alternatives, value, path)
  }

  /** Without a key that tells the alternatives apart, the one with the fewest mistakes was probably meant. */
  #checkLikeliest(alternatives: readonly SchemaNode[], value: unknown, path: ConfigPath): unknown {
    const verdicts = alternatives.map((alternative) => {
      const problems: ShapeProblem[] = []
      return { value: new ShapeCheck(this.#formats, problems).check(alternative, value, path), problems }
    })
    const best = verdicts.toSorted((a, b) => a.problems.length - b.problems.length)[0]
    this.#problems.push(...(best?.problems ?? []))
    return best?.value
  }

  #checkWord(literals: readonly SchemaNode[], value: unknown, path: ConfigPath): unknown {
    const allowed = literals.map((literal) => literal.const)
    if (allowed.includes(value)) return value
    return this.#report(path, `must be ${words(literals)}, not ${shown(value)}`)
  }
}

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function words(literals: readonly SchemaNode[]): string {
  return literals.map((literal) => JSON.stringify(literal.const)).join(' or ')
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearestWord(key, known)
  return near === undefined
    ? `unknown key "${key}"; known here: ${known.join(', ')}`
    : `unknown key "${key}"; did you mean "${near}"?`
}

/** A value as it is quoted in a message: short, on one line. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a section'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
