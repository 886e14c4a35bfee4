import { PrefixTable, mergePrefixes } from '@breakwater/core'
import type { IpPrefix, PeerIdentity } from '@breakwater/core'

/** A client domain that the operator knows: who its agents are and what they may ask protection for. */
export interface ClientDomain {
  /** For logs and status; unique. */
  readonly name: string
  /** DNS-IDs of the certificates of its DOTS clients. */
  readonly dnsNames: readonly string[]
  readonly pskIdentities: readonly string[]
  /** Raw public keys of its DOTS clients, as in `RawPublicKeyCredentials.peerKeys`. */
  readonly publicKeys?: readonly string[]
  /** RFC 9132 §4.4.1.1: targets must lie within these. */
  readonly prefixes: readonly IpPrefix[]
}

/** A DOTS client that proved who it is and belongs to a known domain. */
export interface Principal {
  readonly domain: string
  /**
   * The identity that a cuid is bound to. A certificate's DNS-ID, not its key: a client that renews its key stays who it
   * is. Of a raw public key the key is all there is.
   */
  readonly owner: string
}

const PSK = 'psk:'
const DNS = 'dns:'
const KEY = 'spki:'
/** Hexadecimal digits of a digest that was cut to 120 bits (RFC 7252 §9.1.3.2.1). */
const SHORT_DIGEST_DIGITS = 30

/** From identity to domain to prefixes (RFC 9132 §4.4, §8, §11). */
export class Authorization {
  readonly #byDnsName = new Map<string, string>()
  readonly #byPskIdentity = new Map<string, string>()
  readonly #byPublicKey = new Map<string, string>()
  readonly #prefixes = new Map<string, PrefixTable<true>>()

  constructor(domains: readonly ClientDomain[]) {
    for (const { name, dnsNames, pskIdentities, publicKeys = [], prefixes } of domains) {
      for (const dnsName of dnsNames) this.#byDnsName.set(dnsName.toLowerCase(), name)
      for (const identity of pskIdentities) this.#byPskIdentity.set(identity, name)
      for (const digest of publicKeys) this.#byPublicKey.set(digest.toLowerCase(), name)
      const table = new PrefixTable<true>()
      // Merged, so that a target may span prefixes that only together hold it.
      for (const prefix of mergePrefixes(prefixes)) table.set(prefix, true)
      this.#prefixes.set(name, table)
    }
  }

  /** Who the peer is here; undefined: nobody that we serve. */
  principalOf(identity: PeerIdentity): Principal | undefined {
    if (identity.kind === 'certificate') {
      const dnsName = identity.dnsNames.find((name) => this.#byDnsName.has(name))
      return dnsName === undefined ? undefined : this.#principal(DNS + dnsName)
    }
    return this.#principal(identityText(identity))
  }

  #principal(owner: string): Principal | undefined {
    const domain = this.domainOf(owner)
    return domain === undefined ? undefined : { domain, owner }
  }

  /** The domain that an owner of cuids belongs to now; undefined: to none any more. */
  domainOf(owner: string): string | undefined {
    if (owner.startsWith(PSK)) return this.#byPskIdentity.get(owner.slice(PSK.length))
    if (owner.startsWith(DNS)) return this.#byDnsName.get(owner.slice(DNS.length))
    const digest = owner.slice(KEY.length)
    return this.#byPublicKey.get(digest) ?? this.#byPublicKey.get(digest.slice(0, SHORT_DIGEST_DIGITS))
  }

  /** The first of `prefixes` that does not wholly belong to the domain. */
  firstForeign(domain: string, prefixes: readonly IpPrefix[]): IpPrefix | undefined {
    const table = this.#prefixes.get(domain)
    return prefixes.find((prefix) => table?.longestCover(prefix) === undefined)
  }
}

/** A short text for logs: the first DNS-ID, the PSK identity, or the digest of the key. */
export function identityText(identity: PeerIdentity): string {
  switch (identity.kind) {
    case 'psk':
      return PSK + identity.identity
    case 'raw-public-key':
      return KEY + identity.spkiSha256
    case 'certificate':
      return DNS + (identity.dnsNames[0] ?? '')
  }
}
