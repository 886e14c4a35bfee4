import type { EnumerationLeaf, TextLeaf } from '../yang/node.ts'

/** What holds for the values of leaves, whatever the encoding. */

export const UNSIGNED_64_MAXIMUM = 0xffff_ffff_ffff_ffffn

/** What is wrong with a text that is not empty, or undefined. */
export function textProblem({ type, maximumLength, accepts }: TextLeaf, text: string): string | undefined {
  // Code points are never more than UTF-16 units: only a text that looks too long is counted.
  if (text.length > maximumLength && Array.from(text).length > maximumLength)
    return `is longer than ${maximumLength} characters`
  return accepts === undefined || accepts(text) ? undefined : `${quoted(text)} is no ${type}`
}

/** Whether a code without a name may pass: the registry may have got it later. */
export function isUnassigned({ unassignedUpTo }: EnumerationLeaf, code: number): boolean {
  return code > 0 && code <= (unassignedUpTo ?? 0)
}

/** Decimals have two digits after the point: a decimal times this is a whole number, its mantissa. */
export const DECIMAL_SCALE = 100

/** Up to here a decimal survives the way into a JavaScript number and back, digit for digit. */
export const GREATEST_MANTISSA = 1e15

/** The mantissa of a decimal, or undefined when the number is none. */
export function mantissaOf(value: number): number | undefined {
  const mantissa = Math.round(value * DECIMAL_SCALE)
  return Math.abs(mantissa) <= GREATEST_MANTISSA && mantissa / DECIMAL_SCALE === value ? mantissa : undefined
}

/** Characters of a peer's text that a message repeats at most: it may become a diagnostic payload. */
const LONGEST_QUOTE = 64

export function quoted(text: string): string {
  return text.length <= LONGEST_QUOTE
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, LONGEST_QUOTE))}…`
}
