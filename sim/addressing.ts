import { address, prefix as parsePrefix } from '@breakwater/testing'
import { addressBits, formatIpPrefix, ipAddressFromBytes, ipAddressToBytes, prefixOf } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import type { Chance } from './chance.ts'

/*
 *   server s: 192.0.2.(10+s) and 2001:db8:ffff::(s+1), port 4646; server p is that of provider p, further ones are second servers
 *   site s at provider p: prefixes 100.(64+p).s.0/24 and 2001:db8:(p)(s)::/48, address 100.(64+p).s.1 and the first of the IPv6 prefix on interface wan-p
 *   the same after it was renumbered: 100.(80+p).s.0/24 and 2001:db8:(p+8, in hexadecimal)(s)::/48
 *   site s everywhere it is announced: 203.s.113.0/24 and 2001:db8:ff0(s)::/48
 */

export function serverAddresses(server: number): readonly IpAddress[] {
  return (ofServers[server] ??= [address(`2001:db8:ffff::${server + 1}`), address(`192.0.2.${10 + server}`)])
}

// Worlds ask for the same few all the time.
const ofServers: (readonly IpAddress[])[] = []
const ofSites: (readonly IpAddress[])[] = []
const prefixes = new Map<string, IpPrefix>()

/** The prefix that `text` says. */
export function prefix(text: string): IpPrefix {
  const known = prefixes.get(text) ?? parsePrefix(text)
  prefixes.set(text, known)
  return known
}

/** Where a site's sessions with a provider leave from. */
export function siteAddresses(site: number, provider: number): readonly IpAddress[] {
  return (ofSites[16 * provider + site] ??= [
    address(`2001:db8:${provider + 1}${site}::1`),
    address(`100.${64 + provider}.${site}.1`)
  ])
}

export function interfaceName(provider: number): string {
  return `wan-${provider}`
}

/** What a provider assigned to a site. */
export function assignedPrefixes(site: number, provider: number): string[] {
  return [`100.${64 + provider}.${site}.0/24`, `2001:db8:${provider + 1}${site}::/48`]
}

/** The same addresses and prefixes after the provider has renumbered the site; no others change. */
export function renumbered(text: string): string {
  return text
    .replace(/^100\.(\d+)\./, (_, second: string) => `100.${Number(second) + 16}.`)
    .replace(/^2001:db8:([1-8])(\d)::/, (_, provider: string, site: string) => {
      return `2001:db8:${(Number(provider) + 7).toString(16)}${site}::`
    })
}

/** What a site owns wherever it is attached. */
export function ownPrefixes(site: number): string[] {
  return [`203.${site}.113.0/24`, `2001:db8:ff0${site}::/48`]
}

/** A random piece of a prefix, often the same ones, so that targets overlap. */
export function prefixInside(chance: Chance, text: string): string {
  const whole = prefix(text)
  const bits = addressBits(whole.address.family)
  const length = chance.oneOf([whole.length, whole.length + 1, whole.length + 2, whole.length + 4, bits])
  const bytes = ipAddressToBytes(whole.address)
  const at = whole.length / 8
  bytes[at] = chance.oneOf([0, 7, 64, 128, 200, 255])
  return formatIpPrefix(prefixOf(ipAddressFromBytes(bytes), Math.min(length, bits)))
}
