import { Instant, Seconds, after, formatIpAddress, formatIpPrefix } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import { DomainName } from '../../../src/domain/identifier.ts'
import { LEARNT_ORIGINS } from '../../../src/domain/learnt-configuration.ts'
import type { LearntConfiguration, LearntOrigin } from '../../../src/domain/learnt-configuration.ts'
import type { LocalAddress } from '../../../src/domain/local-address.ts'
import type { Site } from '../../../src/domain/site.ts'
import { checkSite } from '../../../src/multihoming/check-site.ts'
import type { LearnRule } from '../../../src/multihoming/provisioning/learn-rule.ts'
import { ProvisioningBook, SITE_PACE } from '../../../src/multihoming/provisioning/provisioning-book.ts'
import type { ProvisioningInput } from '../../../src/multihoming/provisioning/provisioning-book.ts'
import { domain, ip, net, server } from '../sites.ts'

/** Two providers whose prefixes are learnt, each by its own interface. */
export const learningSite: Site = {
  domains: [
    domain('isp-a', { interfaces: ['wan-a'], servers: [server('isp-a', '192.0.2.1')] }),
    domain('isp-b', { interfaces: ['wan-b'], servers: [server('isp-b', '192.0.2.129')] })
  ],
  providerIndependent: []
}

export function rule(name: string, via: string, more: Partial<LearnRule> = {}): LearnRule {
  return {
    domain: DomainName(name),
    interfaces: [via],
    from: new Set(LEARNT_ORIGINS),
    prefixes: true,
    resolvers: true,
    ...more
  }
}

export const learningRules: readonly LearnRule[] = [rule('isp-a', 'wan-a'), rule('isp-b', 'wan-b')]

export interface LearntTexts {
  readonly via?: string
  readonly origin?: LearntOrigin
  readonly domain?: string
  readonly prefixes?: readonly string[]
  readonly addresses?: readonly string[]
  readonly resolvers?: readonly string[]
  /** Seconds; default: unlimited. */
  readonly valid?: number
  readonly preferred?: number
}

/** `learnt({ via: 'wan-a', prefixes: ['2001:db8:1::/56'], valid: 600 })` */
export function learnt(texts: LearntTexts): LearntConfiguration {
  const valid = texts.valid === undefined ? 'unlimited' : Seconds(texts.valid)
  const preferred = texts.preferred === undefined ? valid : Seconds(texts.preferred)
  return {
    ...(texts.domain === undefined ? {} : { domain: DomainName(texts.domain) }),
    ...(texts.via === undefined ? {} : { interface: texts.via }),
    origin: texts.origin ?? 'dhcpv6',
    prefixes: (texts.prefixes ?? []).map((text) => ({ prefix: net(text), valid, preferred })),
    addresses: (texts.addresses ?? []).map((text) => ({ address: ip(text), valid, preferred })),
    resolvers: (texts.resolvers ?? []).map((text) => ({ address: ip(text), valid })),
    gateways: [],
    searchDomains: []
  }
}

/** An address of an interface: `local('lan', '2001:db8:1::2', 64)`. */
export function local(via: string, text: string, prefixLength: number): LocalAddress {
  return { address: ip(text), prefixLength, interface: { name: via } }
}

/** A book in virtual time. Every site that it tells must be valid. */
export class ProvisioningWorld {
  readonly book = new ProvisioningBook()
  /** Each site that was told, as `isp-a: 2001:db8:1::/56; isp-b: -`. */
  readonly sites: string[] = []
  readonly refusals: string[] = []
  /** What was told last of each domain's name servers. */
  resolvers: readonly string[] = []
  #now = Instant(0)
  #site: Site | undefined

  constructor(site: Site = learningSite, rules: readonly LearnRule[] = learningRules) {
    this.feed({ kind: 'configured', site, rules })
    this.feed({ kind: 'addresses', addresses: [] })
    this.feed({ kind: 'begin' })
    this.pass(SITE_PACE)
    this.sites.length = 0
  }

  get site(): Site {
    if (this.#site === undefined) throw new Error('no site was told')
    return this.#site
  }

  get now(): Instant {
    return this.#now
  }

  learn(texts: LearntTexts, key = texts.via ?? ''): void {
    this.feed({ kind: 'learnt', source: 'test', key, configuration: learnt(texts) })
  }

  withdraw(key: string): void {
    this.feed({ kind: 'withdrawn', source: 'test', key })
  }

  feed(input: ProvisioningInput): void {
    this.book.handle(input, this.#now)
    this.#drain()
  }

  /** Lets time pass, from wake-up to wake-up. */
  pass(duration: Duration): void {
    const end = after(this.#now, duration)
    for (let at = this.book.nextTimeout(); at !== undefined && at <= end; at = this.book.nextTimeout()) {
      this.#now = at
      this.book.handleTimeout(at)
      this.#drain()
    }
    this.#now = end
  }

  /** `2001:db8:1::2 preferred`, of the first domain. */
  locals(): string[] {
    const all = this.site.domains[0]?.localAddresses ?? []
    return all.map(({ address, state = 'preferred' }) => `${formatIpAddress(address)} ${state}`)
  }

  #drain(): void {
    for (let output = this.book.poll(); output !== undefined; output = this.book.poll())
      switch (output.kind) {
        case 'site':
          if (checkSite(output.site).length > 0)
            throw new Error(`invalid site: ${JSON.stringify(checkSite(output.site))}`)
          this.#site = output.site
          this.sites.push(textOf(output.site))
          break
        case 'resolvers':
          this.resolvers = [...output.resolvers].map(
            ([name, list]) => `${name}: ${list.map(({ address }) => formatIpAddress(address)).join(' ')}`
          )
          break
        case 'event':
          if (output.event.kind === 'refused')
            this.refusals.push(`${output.event.what}: ${output.event.reason}`)
      }
  }
}

function textOf({ domains }: Site): string {
  return domains
    .map(({ name, prefixes }) => `${name}: ${prefixes.map(formatIpPrefix).join(' ') || '-'}`)
    .join('; ')
}
