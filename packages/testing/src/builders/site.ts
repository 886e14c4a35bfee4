import { DomainName, ServerName } from '@breakwater/dots'
import type { DotsServer, ProvisioningDomain, Site } from '@breakwater/dots'
import { address, prefix } from './address.ts'

export interface DomainTexts {
  readonly name: string
  /** Prefixes that the domain assigned. */
  readonly prefixes: readonly string[]
  /** Default: one server, named like the domain, at 192.0.2.1. */
  readonly servers?: readonly ServerTexts[]
  /** Local addresses of its sessions, in order of preference. Default: none. */
  readonly sources?: readonly string[]
  /** Default: any. */
  readonly interfaces?: readonly string[]
}

export interface ServerTexts {
  /** `main`: the server is called `<domain>/main`. Default: like the domain. */
  readonly name?: string
  readonly addresses: readonly string[]
  /** Default: `<name>.example`. */
  readonly referenceName?: string
  /** Default 4646 (RFC 9132 §3). */
  readonly port?: number
}

/** A site of access domains and, where given, provider-independent prefixes that all of them carry. */
export function site(domains: readonly DomainTexts[], providerIndependent: readonly string[] = []): Site {
  return {
    domains: domains.map(domain),
    providerIndependent: providerIndependent.map((text) => ({ prefix: prefix(text) }))
  }
}

export function domain(texts: DomainTexts): ProvisioningDomain {
  const name = DomainName(texts.name)
  const servers = texts.servers ?? [{ addresses: ['192.0.2.1'] }]
  return {
    name,
    kind: 'access',
    interfaces: texts.interfaces ?? [],
    prefixes: texts.prefixes.map(prefix),
    sources: (texts.sources ?? []).map(address),
    servers: servers.map((server) => dotsServer(name, server))
  }
}

function dotsServer(owner: DomainName, texts: ServerTexts): DotsServer {
  const name = texts.name === undefined ? owner : `${owner}/${texts.name}`
  return {
    name: ServerName(name),
    domain: owner,
    referenceName: texts.referenceName ?? `${name.replaceAll('/', '.')}.example`,
    addresses: texts.addresses.map(address),
    port: texts.port ?? 4646
  }
}
