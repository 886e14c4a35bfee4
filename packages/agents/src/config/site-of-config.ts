import { DomainName, ServerName } from '@breakwater/dots'
import type { DotsServer, PreconfiguredScope, ProvisioningDomain, Site } from '@breakwater/dots'
import { formatIpPrefix, parseIpAddress, parseIpPrefix } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import { aliasesOf } from './aliases-of-config.ts'
import { sharedOf } from './sharing-of-config.ts'
import { selectionSettingsOf } from './address-selection-config.ts'
import type { ClientConfig } from './client-config.ts'
import { present } from './draft.ts'
import type { Draft } from './draft.ts'
import type { ConfigPath } from './shape.ts'

type DomainDraft = Draft<ClientConfig['domains'][number]>
type ServerDraft = Draft<NonNullable<ClientConfig['domains'][number]['server']>>

/** The site that a configuration describes, and where in the configuration each part of it stands. */
export interface ConfiguredSite {
  readonly site: Site
  /** `domain isp-a`, `server isp-a/east`, `prefix 203.0.113.0/24` → the last place that says so. */
  readonly places: ReadonlyMap<string, ConfigPath>
}

/** Turns the texts of a configuration into the domain's types. Holes of a draft are left out. */
export function siteOfConfig(config: Draft<ClientConfig>): ConfiguredSite {
  const places = new Map<string, ConfigPath>()
  const domains = present(config.domains).flatMap(([index, draft]) => {
    const domain = domainOf(draft, ['domains', index], places)
    return domain === undefined ? [] : [domain]
  })
  const providerIndependent = present(config.site?.providerIndependent).flatMap(([index, own]) => {
    const prefix = prefixOfText(own.prefix)
    if (prefix === undefined) return []
    places.set(`prefix ${formatIpPrefix(prefix)}`, ['site', 'providerIndependent', index, 'prefix'])
    const names =
      own.domains === undefined ? undefined : present(own.domains).map(([, name]) => DomainName(name))
    return [names === undefined ? { prefix } : { prefix, domains: names }]
  })
  const settings = selectionSettingsOf(config.addressSelection)
  const shared = { ...sharedOf(config, places), aliases: aliasesOf(config, places) }
  return { site: { domains, providerIndependent, addressSelection: settings, ...shared }, places }
}

function domainOf(
  draft: DomainDraft,
  path: ConfigPath,
  places: Map<string, ConfigPath>
): ProvisioningDomain | undefined {
  if (draft.name === undefined) return undefined
  const name = DomainName(draft.name)
  places.set(`domain ${name}`, [...path, 'name'])
  const prefixes = present(draft.prefixes).flatMap(([index, text]) => {
    const prefix = prefixOfText(text)
    if (prefix !== undefined) places.set(`prefix ${formatIpPrefix(prefix)}`, [...path, 'prefixes', index])
    return prefix === undefined ? [] : [prefix]
  })
  return {
    name,
    kind: draft.kind ?? 'access',
    ...(draft.pool === true ? { isPool: true as const } : {}),
    ...(draft.mtuBytes === undefined ? {} : { mtu: draft.mtuBytes }),
    protects: prefixesOf(draft.protects),
    translations: present(draft.translations).flatMap(([, each]) => {
      const [internal, external] = [prefixOfText(each.internal), prefixOfText(each.external)]
      return internal === undefined || external === undefined ? [] : [{ internal, external }]
    }),
    interfaces: present(draft.interfaces).map(([, text]) => text),
    prefixes,
    sources: addressesOf(draft.sources),
    servers: serversOf(draft, name, path, places),
    preconfigured: scopesOf(draft)
  }
}

function scopesOf(draft: DomainDraft): PreconfiguredScope[] {
  return present(draft.preconfigured).flatMap(([, { prefixes, lifetimeSeconds }]) => {
    const own = present(prefixes).flatMap(([, text]) => prefixOfText(text) ?? [])
    if (own.length === 0) return []
    return [{ target: { prefixes: own, ports: [], protocols: [] }, lifetime: lifetimeSeconds ?? 3600 }]
  })
}

function serversOf(
  draft: DomainDraft,
  domain: DomainName,
  path: ConfigPath,
  places: Map<string, ConfigPath>
): DotsServer[] {
  const rows: (readonly [ConfigPath, ServerDraft, string])[] = []
  if (draft.server !== undefined) rows.push([[...path, 'server'], draft.server, domain])
  for (const [index, server] of present(draft.servers))
    rows.push([[...path, 'servers', index], server, `${domain}/${server.name ?? index}`])
  return rows.flatMap(([place, server, text]) => {
    if (server.name === undefined) return []
    const name = ServerName(text)
    places.set(`server ${name}`, place)
    // RFC 6125 §6.4.1: names are compared without regard to case.
    const referenceName = server.name.toLowerCase()
    return [
      {
        name,
        domain,
        referenceName,
        addresses: addressesOf(server.addresses),
        port: server.port ?? 0,
        ...(server.defaultRouter === true ? { isDefaultRouter: true as const } : {}),
        ...(server.action === undefined ? {} : { action: server.action }),
        ...(server.defaultRouter !== true && server.addresses === undefined
          ? { isNamed: true as const }
          : {}),
        ...(server.tcpPort === undefined ? {} : { tcpPort: server.tcpPort }),
        ...transportsOf(draft, server)
      }
    ]
  })
}

function transportsOf(domain: DomainDraft, server: ServerDraft): Pick<DotsServer, 'transports'> {
  if (server.transports !== undefined)
    return { transports: present(server.transports).map(([, transport]) => transport) }
  const isRaw = domain.credentials !== undefined && 'rawPrivateKey' in domain.credentials
  return isRaw ? { transports: ['udp'] } : {}
}

function addressesOf(texts: readonly (string | undefined)[] | undefined): IpAddress[] {
  return present(texts).flatMap(([, text]) => parseIpAddress(text) ?? [])
}

function prefixesOf(texts: readonly (string | undefined)[] | undefined): IpPrefix[] {
  return present(texts).flatMap(([, text]) => prefixOfText(text) ?? [])
}

function prefixOfText(text: string | undefined): IpPrefix | undefined {
  return text === undefined ? undefined : parseIpPrefix(text)
}
