import { isDeepStrictEqual } from 'node:util'
import { Counters, equalIpAddresses, formatIpAddress } from '@breakwater/core'
import type { SocketAddress } from '@breakwater/core'
import { DomainName, nameServerPaths } from '@breakwater/dots'
import type { LearntResolver, NameServerPath, PathEvidence, Resolver, Site } from '@breakwater/dots'
import type { DnsEvent, NameServerWay, WayVerdict } from '@breakwater/runtime'
import type { ClientConfig } from '../config/client-config.ts'
import type { ConfigFiles } from '../config/file-format.ts'
import type { ResolverConfig } from '../config/resolver-config.ts'
import { nameServersOf, openResolver } from '../open-resolver.ts'
import { nameServerEvidence } from './name-server-evidence.ts'

interface OpenedResolver {
  readonly resolver: Resolver
  /** What it was opened by. */
  readonly from: unknown
}

/** What of it is counted where; the label begins with the domain. */
const COUNTER: Readonly<Record<DnsEvent, readonly [name: string, label: string]>> = {
  'asked-udp': ['dns_questions_total', 'udp'],
  'asked-tcp': ['dns_questions_total', 'tcp'],
  'asked-tls': ['dns_questions_total', 'tls'],
  answered: ['dns_names_total', 'answered'],
  unanswered: ['dns_names_total', 'unanswered'],
  stray: ['dns_messages_discarded_total', 'stray'],
  malformed: ['dns_messages_discarded_total', 'malformed']
}

/** Of domains whose configuration names no resolver: those that their providers named. */
export type LearntResolvers = ReadonlyMap<DomainName, readonly LearntResolver[]>

/**
 * The resolvers of the domains: names are asked for by the domain that they are of, over its interfaces and from its addresses
 * (RFC 9284 §5.1). A domain without name servers has none: those of the system may be another provider's.
 */
export class DomainResolvers {
  readonly #opened = new Map<DomainName, OpenedResolver>()
  readonly #counters: Counters

  readonly #report: (evidence: PathEvidence) => void

  /** @param report Told what questions say of the paths that they took. */
  constructor(
    counters: Counters = new Counters(),
    report: (evidence: PathEvidence) => void = () => undefined
  ) {
    this.#counters = counters
    this.#report = report
  }

  /**
   * Those that this configuration names, or else that were learnt: opened where they are new or changed, or other ways lead to
   * them; those that nobody names any more are closed.
   */
  open(
    { domains }: ClientConfig,
    site: Site,
    files: ConfigFiles,
    learnt: LearntResolvers = new Map()
  ): ReadonlyMap<DomainName, Resolver> {
    const over = new Map(this.#opened)
    for (const { name, resolver } of domains) {
      const domain = DomainName(name)
      const known = learnt.get(domain) ?? []
      const config = resolver ?? configOf(known)
      if (config === undefined) continue
      const { servers, transport } = nameServersOf(config)
      const waysTo = (server: SocketAddress): readonly NameServerPath[] =>
        nameServerPaths(site, domain, { ...server, ...linkOf(server, known) }, transport)
      const from = { config, ways: servers.map((server) => waysTo(server)) }
      if (isDeepStrictEqual(over.get(domain)?.from, from)) over.delete(domain)
      else {
        const observe = (event: DnsEvent): void => this.#count(name, event)
        const judge = (way: NameServerWay, verdict: WayVerdict): void => {
          const evidence = nameServerEvidence(domain, way, verdict)
          if (evidence !== undefined) this.#report(evidence)
        }
        this.#opened.set(domain, {
          resolver: openResolver(config, files, { waysTo, observe, judge }),
          from
        })
      }
    }
    // What they were asking for is asked again of the new ones.
    void this.#close(over)
    return new Map([...this.#opened].map(([name, { resolver }]) => [name, resolver]))
  }

  async close(): Promise<void> {
    await this.#close(new Map(this.#opened))
  }

  #count(domain: string, event: DnsEvent): void {
    const [counter, label] = COUNTER[event]
    this.#counters.count(counter, `${domain} ${label}`)
  }

  async #close(over: ReadonlyMap<DomainName, OpenedResolver>): Promise<void> {
    for (const [name, opened] of over) {
      if (this.#opened.get(name) === opened) this.#opened.delete(name)
      await opened.resolver.close()
    }
  }
}

function configOf(known: readonly LearntResolver[]): ResolverConfig | undefined {
  return known.length === 0
    ? undefined
    : { kind: 'plain', servers: known.map(({ address }) => formatIpAddress(address)) }
}

/** An address of a link means nothing on another one. */
function linkOf(server: SocketAddress, known: readonly LearntResolver[]): { readonly interface?: string } {
  const via = known.find(({ address }) => equalIpAddresses(address, server.address))?.interface
  return via === undefined ? {} : { interface: via }
}
