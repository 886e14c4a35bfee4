import { type IpPrefix, parseIpPrefix, prefixContains } from '@breakwater/core'

/** A prefix that a drawing names. */
export function prefixOf(text: string): IpPrefix {
  const prefix = parseIpPrefix(text)
  if (prefix === undefined) throw new RangeError(`${text} is no prefix`)
  return prefix
}

/** Whether two prefixes have addresses in common. */
export function isWithin(one: string, other: string): boolean {
  const [a, b] = [parseIpPrefix(one), parseIpPrefix(other)]
  return a !== undefined && b !== undefined && (prefixContains(a, b) || prefixContains(b, a))
}
