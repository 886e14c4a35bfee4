import { MAXIMUM_DEPTH, MAXIMUM_ITEMS, MAXIMUM_JSON_LENGTH } from '../limit.ts'
import type { JsonValue } from './json-value.ts'
import { stepOf } from './place.ts'
import type { Place } from './place.ts'

/**
 * Reads a JSON text (RFC 8259) as strictly as DOTS needs it, which `JSON.parse` is not: of members with the same name it
 * keeps the last and says nothing, and it bounds neither depth nor size. Objects have no prototype, so that a member
 * named `__proto__` is one like any other.
 * @throws ModelDecodeError with the place, in the names that stand in the text
 */
export function parseJson(text: string, place: Place): JsonValue {
  return new JsonParser(text, place).parse()
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const FIRST_PRINTABLE = 0x20

const BLANKS = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const LITERAL = /true|false|null/y
const literals: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null }

class JsonParser {
  readonly #text: string
  readonly #place: Place
  #at = 0
  #items = 0
  #depth = 0

  constructor(text: string, place: Place) {
    this.#text = text
    this.#place = place
  }

  parse(): JsonValue {
    if (this.#text.length > MAXIMUM_JSON_LENGTH)
      this.#place.fail('MODEL_JSON_TOO_LARGE', `the text is longer than ${MAXIMUM_JSON_LENGTH} characters`)
    const value = this.#value()
    if (this.#at < this.#text.length) this.#malformed('the end is due')
    return value
  }

  /** One value, with the blanks around it. */
  #value(): JsonValue {
    this.#count()
    this.#take(BLANKS)
    const value = this.#bareValue()
    this.#take(BLANKS)
    return value
  }

  #bareValue(): JsonValue {
    const sign = this.#text[this.#at]
    if (sign === '{') return this.#object()
    if (sign === '[') return this.#array()
    if (sign === '"') return this.#string()
    const literal = this.#take(LITERAL)
    if (literal !== '') return literals[literal] ?? null
    const number = this.#take(NUMBER)
    return number === '' ? this.#malformed('a value is due') : Number(number)
  }

  #object(): JsonValue {
    const members = Object.create(null) as Record<string, JsonValue>
    this.#entries('}', () => {
      this.#take(BLANKS)
      const name =
        this.#text[this.#at] === '"' ? this.#string() : this.#malformed('the name of a member is due')
      this.#count()
      this.#place.trail.at(stepOf(name))
      // RFC 7493 §2.3: what the second of two members of one name means, everybody answers differently.
      if (name in members) this.#place.fail('MODEL_DUPLICATE_KEY', 'stands here twice')
      this.#take(BLANKS)
      if (!this.#skip(':')) this.#malformed('":" is due')
      members[name] = this.#value()
      this.#place.trail.at('')
    })
    return members
  }

  #array(): JsonValue {
    const entries: JsonValue[] = []
    this.#entries(']', () => {
      this.#place.trail.at(entries.length)
      entries.push(this.#value())
    })
    return entries
  }

  /** What stands between the opening sign, which is next, and `closing`: nothing, or entries with commas between. */
  #entries(closing: string, readEntry: () => void): void {
    this.#at++
    if (++this.#depth > MAXIMUM_DEPTH)
      this.#place.fail(
        'MODEL_JSON_TOO_DEEP',
        `more than ${MAXIMUM_DEPTH} arrays and objects inside one another`
      )
    this.#place.trail.enter()
    this.#take(BLANKS)
    if (!this.#skip(closing)) {
      do readEntry()
      while (this.#skip(','))
      if (!this.#skip(closing)) this.#malformed(`"," or "${closing}" is due`)
    }
    this.#place.trail.leave()
    this.#depth--
  }

  #string(): string {
    const start = this.#at
    let escaped = false
    for (let at = start + 1; at < this.#text.length; at++) {
      const unit = this.#text.charCodeAt(at)
      if (unit === QUOTE) {
        this.#at = at + 1
        return escaped ? this.#unescaped(start) : this.#text.slice(start + 1, at)
      }
      if (unit < FIRST_PRINTABLE) {
        this.#at = at
        this.#malformed('a control character is to be escaped')
      }
      if (unit !== BACKSLASH) continue
      escaped = true
      at++
    }
    return this.#malformed('the text has no end')
  }

  /** The string between `start` and here, which has escapes. */
  #unescaped(start: number): string {
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string
    } catch {
      this.#at = start
      return this.#malformed('an escape of this text is none of JSON')
    }
  }

  /** The longest text of that pattern that stands here; empty when none does. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  #skip(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false
    this.#at++
    return true
  }

  #count(): void {
    if (++this.#items > MAXIMUM_ITEMS)
      this.#place.fail('MODEL_JSON_TOO_LARGE', `more than ${MAXIMUM_ITEMS} values and names`)
  }

  #malformed(due: string): never {
    return this.#place.fail('MODEL_JSON_MALFORMED', `${due} (character ${this.#at + 1})`)
  }
}
