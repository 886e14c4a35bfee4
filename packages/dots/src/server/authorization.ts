import { PrefixTable, mergePrefixes } from '@breakwater/core'
import type { IpPrefix, PeerIdentity } from '@breakwater/core'

/** A client domain that the operator knows: who its agents are and what they may ask protection for. */
export interface ClientDomain {
  /** For logs and status; unique. */
  readonly name: string
  /** DNS-IDs of the certificates of its DOTS clients. */
  readonly dnsNames: readonly string[]
  readonly pskIdentities: readonly string[]
  /** RFC 9132 §4.4.1.1: targets must lie within these. */
  readonly prefixes: readonly IpPrefix[]
}

/** A DOTS client that proved who it is and belongs to a known domain. */
export interface Principal {
  readonly domain: string
  /**
   * The identity that a cuid is bound to. A certificate's DNS-ID, not its key: a client that renews its key stays who it
   * is.
   */
  readonly owner: string
}

const PSK = 'psk:'
const DNS = 'dns:'

/** From identity to domain to prefixes (RFC 9132 §4.4, §8, §11). */
export class Authorization {
  readonly #byDnsName = new Map<string, string>()
  readonly #byPskIdentity = new Map<string, string>()
  readonly #prefixes = new Map<string, PrefixTable<true>>()

  constructor(domains: readonly ClientDomain[]) {
    for (const { name, dnsNames, pskIdentities, prefixes } of domains) {
      for (const dnsName of dnsNames) this.#byDnsName.set(dnsName.toLowerCase(), name)
      for (const identity of pskIdentities) this.#byPskIdentity.set(identity, name)
      const table = new PrefixTable<true>()
      // Merged, so that a target may span prefixes that only together hold it.
      for (const prefix of mergePrefixes(prefixes)) table.set(prefix, true)
      this.#prefixes.set(name, table)
    }
  }

  /** Who the peer is here; undefined: nobody that we serve. */
  principalOf(identity: PeerIdentity): Principal | undefined {
    if (identity.kind === 'psk') {
      const domain = this.#byPskIdentity.get(identity.identity)
      return domain === undefined ? undefined : { domain, owner: PSK + identity.identity }
    }
    for (const dnsName of identity.dnsNames) {
      const domain = this.#byDnsName.get(dnsName)
      if (domain !== undefined) return { domain, owner: DNS + dnsName }
    }
    return undefined
  }

  /** The domain that an owner of cuids belongs to now; undefined: to none any more. */
  domainOf(owner: string): string | undefined {
    return owner.startsWith(PSK)
      ? this.#byPskIdentity.get(owner.slice(PSK.length))
      : this.#byDnsName.get(owner.slice(DNS.length))
  }

  /** The first of `prefixes` that does not wholly belong to the domain. */
  firstForeign(domain: string, prefixes: readonly IpPrefix[]): IpPrefix | undefined {
    const table = this.#prefixes.get(domain)
    return prefixes.find((prefix) => table?.longestCover(prefix) === undefined)
  }
}

/** A short text for logs: the first DNS-ID, or the PSK identity. */
export function identityText(identity: PeerIdentity): string {
  return identity.kind === 'psk' ? PSK + identity.identity : DNS + (identity.dnsNames[0] ?? '')
}
