import { InternalError, parseIpAddress, parseIpPrefix } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'

/** The address that `text` says; throws where the text of a test is wrong. */
export function address(text: string): IpAddress {
  const parsed = parseIpAddress(text)
  if (parsed === undefined) throw new InternalError('TESTING_ADDRESS_TEXT', `${text} is no IP address`)
  return parsed
}

/** The prefix that `text` says; throws where the text of a test is wrong. */
export function prefix(text: string): IpPrefix {
  const parsed = parseIpPrefix(text)
  if (parsed === undefined) throw new InternalError('TESTING_PREFIX_TEXT', `${text} is no IP prefix`)
  return parsed
}
