import { equalIpAddresses } from './address.ts'
import { formatIpAddress, parseIpAddress } from './address-text.ts'
import { hostPrefix, prefixOf } from './prefix.ts'
import type { IpPrefix } from './prefix.ts'

/**
 * Reads `ADDRESS/LENGTH`; undefined when `text` is anything else. The address is as strict as `parseIpAddress`, the
 * length is decimal without sign or leading zeros.
 * @param hostBits What to do with `192.0.2.1/24`: refuse it (default), or clear the bits behind the length.
 */
export function parseIpPrefix(text: string, hostBits: 'reject' | 'clear' = 'reject'): IpPrefix | undefined {
  const [addressText = '', lengthText = '', ...more] = text.split('/', 3)
  if (more.length > 0 || !/^(?:0|[1-9][0-9]{0,2})$/.test(lengthText)) return undefined
  const address = parseIpAddress(addressText)
  const length = Number(lengthText)
  if (address === undefined || length > hostPrefix(address).length) return undefined
  const prefix = prefixOf(address, length)
  return hostBits === 'clear' || equalIpAddresses(prefix.address, address) ? prefix : undefined
}

/** `192.0.2.0/24`, `2001:db8::/32`; the address as RFC 5952 wants it. */
export function formatIpPrefix(prefix: IpPrefix): string {
  return `${formatIpAddress(prefix.address)}/${prefix.length}`
}
