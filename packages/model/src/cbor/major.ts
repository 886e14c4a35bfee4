/** Major types of CBOR (RFC 8949 §3.1). */
export const UNSIGNED = 0
export const NEGATIVE = 1
export const BYTES = 2
export const TEXT = 3
export const ARRAY = 4
export const MAP = 5
export const TAG = 6
export const SIMPLE = 7

/** Additional information 31: indefinite length, or with major type 7 the "break" that ends one (RFC 8949 §3.2). */
export const INDEFINITE = 31

export const FALSE_BYTE = 0xf4
export const TRUE_BYTE = 0xf5
export const BREAK_BYTE = 0xff

const names = [
  'an unsigned integer',
  'a negative integer',
  'a byte string',
  'a text string',
  'an array',
  'a map',
  'a tag',
  'a float or simple value'
]

/** `a text string`, for messages. */
export function majorName(major: number): string {
  return names[major] ?? `major type ${major}`
}
