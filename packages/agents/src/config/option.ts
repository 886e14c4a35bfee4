import { Type } from 'typebox'
import type { TSchema, TSchemaOptions } from 'typebox'

/** What a text has to be, beyond being text. `text-format.ts` and `file-format.ts` say how each is checked. */
export type OptionFormat =
  | 'name'
  | 'dns-name'
  | 'ip-address'
  | 'ip-prefix'
  | 'target-uri'
  | 'interface'
  | 'date'
  | 'note'
  | 'psk-identity'
  | 'cdid'
  | 'socket-path'
  | 'path'
  | 'certificate-file'
  | 'private-key-file'
  | 'trust-anchors-file'
  | 'revocation-lists-file'
  | 'key-digest'
  | 'psk-file'

interface OptionDetails extends TSchemaOptions {
  /** One sentence for the reference page and for editors. */
  readonly description: string
  /** The rule that a range or a default comes from. */
  readonly source?: string
}

function details(options: OptionDetails): TSchemaOptions {
  const { source, ...rest } = options
  return source === undefined ? rest : { ...rest, 'x-source': source }
}

/** A text of a given format. */
export function text(format: OptionFormat, options: OptionDetails) {
  return Type.String({ ...details(options), 'x-format': format })
}

/** A whole number between two bounds, both included. */
export function whole(minimum: number, maximum: number, options: OptionDetails) {
  return Type.Integer({ ...details(options), minimum, maximum })
}

/** A number with a fraction between two bounds, both included. */
export function decimal(
  range: { readonly minimum: number; readonly maximum: number },
  options: OptionDetails
) {
  return Type.Number({ ...details(options), minimum: range.minimum, maximum: range.maximum })
}

/** True or false. */
export function flag(options: OptionDetails) {
  return Type.Boolean(details(options))
}

/** One word of a few. */
export function choice<const Words extends readonly string[]>(words: Words, options: OptionDetails) {
  const literals = words.map((word) => Type.Literal(word))
  return Type.Unsafe<Words[number]>(Type.Union(literals, details(options)))
}

/** A map with exactly these keys; any other key is a mistake. */
export function section<Keys extends Record<string, TSchema>>(keys: Keys, options: OptionDetails) {
  return Type.Object(keys, { ...details(options), additionalProperties: false })
}

/** A list of at least `minimum` items. */
export function list<Item extends TSchema>(item: Item, minimum: number, options: OptionDetails) {
  return Type.Array(item, { ...details(options), minItems: minimum, maxItems: 10_000 })
}

/** A key that may be left out. With `default` in its details, the default holds then. */
export function optional<Option extends TSchema>(option: Option) {
  return Type.Optional(option)
}

/** One of several sections. */
export function either<Options extends TSchema[]>(alternatives: [...Options], options: OptionDetails) {
  return Type.Union(alternatives, details(options))
}
