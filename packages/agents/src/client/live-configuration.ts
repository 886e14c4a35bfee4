import type { ClientHost, DomainName, Resolver, Site } from '@breakwater/dots'
import { learnRulesOf } from '../config/learning-of-config.ts'
import type { ClientConfig } from '../config/client-config.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { ClientEndpoints } from './client-endpoints.ts'
import { clientPorts } from './client-ports.ts'
import type { DomainResolvers } from './domain-resolvers.ts'
import type { Provisioning } from './provisioning.ts'
import type { SiteResolver } from './site-resolver.ts'

/** What has to follow when a client's configuration is another one, or its network. */
export interface LiveConfigurationParts {
  readonly ports: ReturnType<typeof clientPorts>
  readonly endpoints: ClientEndpoints
  readonly provisioning: Provisioning
  readonly resolvers: DomainResolvers
  readonly siteResolver: SiteResolver
}

type Loaded = Pick<LoadedConfig<ClientConfig>, 'config' | 'files'>

/** What a running client goes by: its configuration with what is learnt of its network. Takes both to the host as they change. */
export class LiveConfiguration {
  readonly #parts: LiveConfigurationParts
  #loaded: Loaded
  #cuids: LiveConfigurationParts['ports']['cuids']

  constructor(loaded: Loaded, parts: LiveConfigurationParts) {
    this.#parts = parts
    this.#loaded = loaded
    this.#cuids = parts.ports.cuids
    parts.siteResolver.open(loaded.config.site?.resolver, loaded.files)
  }

  /** Who answers for each domain of a site: the name servers of the configuration, else those that are learnt. */
  resolversOf(site: Site, { config, files }: Loaded = this.#loaded): ReadonlyMap<DomainName, Resolver> {
    const { resolvers, provisioning } = this.#parts
    return resolvers.open(config, site, files, provisioning.resolvers)
  }

  /** From now on the host goes by what is learnt. */
  follow(host: ClientHost): void {
    const { provisioning } = this.#parts
    const learn = (site: Site): void => host.updateSite({ site, resolvers: this.resolversOf(site) })
    provisioning.follow({
      onSite: learn,
      onResolvers: () => learn(provisioning.site),
      onLink: (name, isUp) => host.reportLink(name, isUp)
    })
  }

  /**
   * Takes another configuration to the host.
   * @returns how many endpoints took new credentials.
   */
  apply(loaded: Loaded, host: ClientHost): number {
    const { ports, endpoints, provisioning, siteResolver } = this.#parts
    const next = clientPorts(loaded.config, loaded.files, this.#cuids)
    const count = endpoints.reload(next.credentials)
    siteResolver.open(loaded.config.site?.resolver, loaded.files)
    this.#cuids = next.cuids
    // In one go: what is learnt meanwhile belongs into a site of domains that the client knows.
    const site = provisioning.reconfigure(next.site, learnRulesOf(loaded.config))
    const { credentials } = ports
    host.updateSite({ site, credentials, cuids: next.cuids, resolvers: this.resolversOf(site, loaded) })
    this.#loaded = loaded
    return count
  }
}
