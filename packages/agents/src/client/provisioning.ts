import { BreakwaterError, ConfigError, Counters, Driver, InternalError } from '@breakwater/core'
import type { Clock, Log } from '@breakwater/core'
import { ProvisioningBook } from '@breakwater/dots'
import type {
  AddressWatch,
  InterfaceAddresses,
  LearnRule,
  ProvisioningInput,
  ProvisioningOutput,
  ProvisioningReport,
  ProvisioningSource,
  ProvisioningWatch,
  Site
} from '@breakwater/dots'
import { Rereading } from '@breakwater/runtime'
import { DomainLinks } from './domain-links.ts'
import type { LearntResolvers } from './domain-resolvers.ts'
import { ProvisioningLog } from './provisioning-log.ts'

export interface ProvisioningOptions {
  /** As the operator configured it. */
  readonly site: Site
  readonly rules: readonly LearnRule[]
  readonly sources: readonly ProvisioningSource[]
  readonly addresses: InterfaceAddresses
  readonly clock: Clock
  readonly log: Log
}

/** Who goes by what is learnt. */
export interface ProvisioningFollower {
  onSite(site: Site): void
  onResolvers?(resolvers: LearntResolvers): void
  /** The carrier of an interface that a domain names is lost, or there again. Of one that is down, also at the start. */
  onLink?(name: string, isUp: boolean): void
}

/**
 * Keeps the site of a running client as the network is: what its operator configured, what sources learn, and the addresses
 * and carriers that this host has.
 */
export class Provisioning {
  readonly counters: Counters = new Counters()
  readonly #book = new ProvisioningBook()
  readonly #driver: Driver<ProvisioningInput, ProvisioningOutput>
  readonly #options: ProvisioningOptions
  readonly #log: ProvisioningLog
  readonly #links: DomainLinks
  readonly #watches: (ProvisioningWatch | AddressWatch)[] = []
  #configured: Site
  #site: Site
  #resolvers: LearntResolvers = new Map()
  #follower: ProvisioningFollower | undefined
  readonly #reading = new Rereading(() => this.#readAddresses())
  #hasAddresses = false

  private constructor(options: ProvisioningOptions) {
    this.#options = options
    this.#configured = options.site
    this.#site = options.site
    this.#log = new ProvisioningLog(options.log, options.clock, this.counters)
    this.#links = new DomainLinks(options.log, this.counters)
    this.#links.name(options.site)
    this.#driver = new Driver(this.#book, options.clock, (output) => this.#perform(output))
  }

  /** Resolves when everything that is known at the start is in `site`. A source that cannot tell keeps nobody waiting. */
  static async begin(options: ProvisioningOptions): Promise<Provisioning> {
    const provisioning = new Provisioning(options)
    const { site, rules, sources, addresses } = options
    provisioning.#driver.feed({ kind: 'configured', site, rules })
    const watches = sources.map((source) => source.watch(provisioning.#listenerTo(source.name)))
    provisioning.#watches.push(
      ...watches,
      addresses.watch(
        () => void provisioning.#wantAddresses(),
        (carriers) => provisioning.#links.take(carriers)
      )
    )
    await Promise.all([...watches.map(({ ready }) => ready), provisioning.#wantAddresses()])
    provisioning.#driver.feed({ kind: 'begin' })
    return provisioning
  }

  get site(): Site {
    return this.#site
  }

  /** The name servers that domains learnt. */
  get resolvers(): LearntResolvers {
    return this.#resolvers
  }

  /** Tells of every change from now on. */
  follow(follower: ProvisioningFollower): void {
    this.#follower = follower
    this.#links.follow(follower.onLink?.bind(follower))
  }

  /** The operator wants something else now. @returns the site that comes of it; followers are not told of this one. */
  reconfigure(site: Site, rules: readonly LearnRule[]): Site {
    const follower = this.#follower
    this.#follower = undefined
    try {
      this.#configured = site
      this.#driver.feed({ kind: 'configured', site, rules })
    } finally {
      this.#follower = follower
    }
    this.#links.name(site)
    // A domain may leave its sources to the system only now.
    void this.#wantAddresses()
    return this.#site
  }

  report(): ProvisioningReport {
    return this.#book.report(this.#options.clock.now())
  }

  async close(): Promise<void> {
    this.#driver.stop()
    await Promise.all([this.#reading.close(), ...this.#watches.map((watch) => watch.close())])
  }

  #listenerTo(source: string): Parameters<ProvisioningSource['watch']>[0] {
    return {
      learnt: (key, configuration) => this.#driver.feed({ kind: 'learnt', source, key, configuration }),
      withdrawn: (key) => this.#driver.feed({ kind: 'withdrawn', source, key }),
      refused: (place, reason) => this.#log.unreadable(place, reason)
    }
  }

  #perform(output: ProvisioningOutput): void {
    switch (output.kind) {
      case 'site':
        this.#site = output.site
        this.#tell(() => this.#follower?.onSite(output.site))
        return
      case 'resolvers':
        this.#resolvers = output.resolvers
        this.#tell(() => this.#follower?.onResolvers?.(output.resolvers))
        return
      case 'event':
        this.#log.take(output.event)
    }
  }

  /** A site that the client refuses leaves it on the one before: it goes on, and the operator hears of it. */
  #tell(act: () => void): void {
    try {
      act()
    } catch (error) {
      if (!(error instanceof BreakwaterError) || error instanceof InternalError) throw error
      const problems = error instanceof ConfigError ? error.problems : []
      this.#log.siteRefused(
        error.message,
        problems.map(({ path, message }) => `${path}: ${message}`)
      )
    }
  }

  async #wantAddresses(): Promise<void> {
    if (this.#configured.domains.some(({ sources }) => sources.length === 0)) await this.#reading.want()
  }

  async #readAddresses(): Promise<void> {
    try {
      const addresses = await this.#options.addresses.read()
      this.#log.addressesKnown()
      this.#hasAddresses = true
      this.#driver.feed({ kind: 'addresses', addresses })
    } catch (error) {
      // Where nothing was known yet, nothing is: sessions wait until the system tells.
      this.#log.addressesUnknown(String(error))
      if (!this.#hasAddresses) this.#driver.feed({ kind: 'addresses', addresses: [] })
    }
  }
}
