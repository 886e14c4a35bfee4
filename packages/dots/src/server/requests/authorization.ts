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
  /**
   * What gateways call its clients: hashes of their certificates, keys or PSK identities. All of them mean the same
   * (RFC 9132 §4.4.1.2).
   */
  readonly cdids?: readonly string[]
  /** It is a server-domain gateway that is trusted to say by `cdid` for whom it asks (RFC 9132 §4.4.1.2). */
  readonly isGateway?: boolean
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
const BEHIND_GATEWAY = 'cdid:'
/** Hexadecimal digits of a digest that was cut to 120 bits (RFC 7252 §9.1.3.2.1). */
const SHORT_DIGEST_DIGITS = 30

/** From identity to domain to prefixes (RFC 9132 §4.4, §8, §11). */
export class Authorization {
  readonly #byDnsName = new Map<string, string>()
  readonly #byPskIdentity = new Map<string, string>()
  readonly #byPublicKey = new Map<string, string>()
  readonly #byCdid = new Map<string, string>()
  readonly #withCdids = new Set<string>()
  readonly #gateways = new Set<string>()
  readonly #prefixes = new Map<string, PrefixTable<true>>()

  constructor(domains: readonly ClientDomain[]) {
    for (const { name, dnsNames, pskIdentities, publicKeys = [], prefixes, ...more } of domains) {
      const { cdids = [], isGateway = false } = more
      for (const cdid of cdids) this.#byCdid.set(cdid, name)
      if (cdids.length > 0) this.#withCdids.add(name)
      if (isGateway) this.#gateways.add(name)
      for (const dnsName of dnsNames) this.#byDnsName.set(dnsName.toLowerCase(), name)
      for (const identity of pskIdentities) this.#byPskIdentity.set(identity, name)
      for (const digest of publicKeys) this.#byPublicKey.set(digest.toLowerCase(), name)
      // Merged, so that a target may span prefixes that only together hold it.
      const own = mergePrefixes(prefixes).map((prefix) => ({ prefix, value: true as const }))
      this.#prefixes.set(name, new PrefixTable(own))
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

  /**
   * For whom a peer asks that names a `cdid`. RFC 9132 §4.4.1.2: it is ignored unless the peer is a gateway that we trust;
   * undefined: that gateway speaks for somebody whom we do not know.
   */
  principalBehind(peer: Principal, cdid: string): Principal | undefined {
    if (!this.#gateways.has(peer.domain)) return peer
    const domain = this.#byCdid.get(cdid)
    return domain === undefined ? undefined : { domain, owner: BEHIND_GATEWAY + domain }
  }

  #principal(owner: string): Principal | undefined {
    const domain = this.domainOf(owner)
    return domain === undefined ? undefined : { domain, owner }
  }

  /** The domain that an owner of cuids belongs to now; undefined: to none any more. */
  domainOf(owner: string): string | undefined {
    if (owner.startsWith(PSK)) return this.#byPskIdentity.get(owner.slice(PSK.length))
    if (owner.startsWith(DNS)) return this.#byDnsName.get(owner.slice(DNS.length))
    if (owner.startsWith(BEHIND_GATEWAY)) {
      const domain = owner.slice(BEHIND_GATEWAY.length)
      return this.#withCdids.has(domain) ? domain : undefined
    }
    const digest = owner.slice(KEY.length)
    return this.#byPublicKey.get(digest) ?? this.#byPublicKey.get(digest.slice(0, SHORT_DIGEST_DIGITS))
  }

  /** The first of `prefixes` that does not wholly belong to the domain. */
  firstForeign(domain: string, prefixes: readonly IpPrefix[]): IpPrefix | undefined {
    const table = this.#prefixes.get(domain)
    return prefixes.find((prefix) => table?.coveringValue(prefix) !== true)
  }
}

/** Whether an owner of cuids is known to us by the word of a gateway only: nothing is heard of it by a session of its own. */
export function isBehindGateway(owner: string): boolean {
  return owner.startsWith(BEHIND_GATEWAY)
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
