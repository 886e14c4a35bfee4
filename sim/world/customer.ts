import { Milliseconds, equalIpAddresses, silentLog } from '@breakwater/core'
import {
  DomainName,
  LEAST_UDP_PROBE_SECONDS,
  Notebook,
  ProtectionId,
  ServerName,
  hostDotsClient,
  parseCuid
} from '@breakwater/dots'
import type { Instant, IpFamily, NetworkPath, OpenSecureEndpoint, Transport } from '@breakwater/core'
import type { ClientHost, ClientStatus, Cuid, ProtectionRequest, Site } from '@breakwater/dots'
import { PortTranslation, derivedSeed, seededEntropy } from '@breakwater/testing'
import type { simulatedCertificate } from '@breakwater/testing'
import type { SimulatedHost, SimulatedNetwork, VirtualClock } from '@breakwater/testing'
import {
  assignedPrefixes,
  interfaceName,
  isServerAt,
  ownPrefixes,
  prefix,
  serverAddresses,
  siteAddresses
} from '../addressing.ts'
import { Chance } from '../chance.ts'
import type { Action, Scenario, SitePlan } from '../scenario.ts'
import type { CertificateDates } from './certificate-dates.ts'
import { SimulatedDisk } from './disk.ts'
import { HastyClock, astray, twoClients, unbound } from './flawed-client.ts'
import { Calendar, Process } from './process.ts'
import { clientNameOf, credentialsOf, serverNameOf } from './provider.ts'
import { commonParameters, wantedConfiguration } from './session-parameters.ts'

/** What a firewall tells traffic by. */
export type TrafficKind = Transport | IpFamily

/** Bugs that can be planted in a client from outside. */
export interface CustomerFlaws {
  /** Its endpoints are bound to no interface. */
  isUnbound?: boolean
  /** Wherever it is sent, it goes to another provider. */
  leavesDomain?: boolean
  /** Its clock runs so many times too fast. */
  haste?: number
  /** It does not hear every third wish of its operator. */
  isDeaf?: boolean
  /** It looks so seldom whether UDP gets through again, in seconds. */
  udpProbeSeconds?: number
  /** A second client under the same name serves every other protection, and neither knows of the other. */
  isTwo?: boolean
}

/** A site with its DOTS client, and the operator's wishes, which survive it as the agent's archive does. */
export class Customer {
  readonly plan: SitePlan
  readonly host: SimulatedHost
  readonly calendar: Calendar = new Calendar()
  /** Holds the client's notebook. */
  readonly disk: SimulatedDisk
  /** What the operator wants protected now. */
  readonly wanted = new Map<string, ProtectionRequest>()
  /** Since when, by its name. */
  readonly wantedSince = new Map<string, Instant>()
  /** Planted bugs: what is wrong with it. */
  readonly flaws: CustomerFlaws = {}
  /** Which life of the client this is, from 0. */
  life = -1
  readonly #scenario: Scenario
  readonly #clock: VirtualClock
  #site: Site
  readonly #dates: CertificateDates
  #credentials = new Map<DomainName, ReturnType<typeof simulatedCertificate>>()
  #process: Process
  #client: ClientHost | undefined
  #wishes = 0
  /** By provider. */
  readonly #blocked = new Map<number, readonly TrafficKind[]>()
  #notebook: Notebook | undefined
  /** It has taken up what an earlier life left. */
  #isReady = false

  constructor(
    scenario: Scenario,
    plan: SitePlan,
    network: SimulatedNetwork,
    clock: VirtualClock,
    site: Site,
    dates: CertificateDates
  ) {
    this.#dates = dates
    this.plan = plan
    this.disk = new SimulatedDisk(new Chance(scenario.seed, `notebook ${plan.number}`))
    this.#scenario = scenario
    this.#clock = clock
    this.#site = site
    // With a plain default route, only what is bound to its interface gets past another provider's ingress filter.
    this.host = network.addHost(`site-${plan.number}`, {
      routing: 'first-interface',
      interfaces: plan.attachments.map((provider) => ({
        name: interfaceName(provider),
        addresses: siteAddresses(plan.number, provider),
        conditions: { latency: Milliseconds(scenario.latencyMilliseconds) }
      }))
    })
    for (const provider of plan.attachments)
      this.host.link(interfaceName(provider)).translation = new PortTranslation()
    network.block(({ transport, path }) => this.#isBlocked(transport, path))
    this.#process = new Process(clock, this.calendar)
  }

  /** Undefined while it is down. */
  get client(): ClientHost | undefined {
    return this.#client
  }

  /** Undefined while it is down, starting or standing still. */
  status(): ClientStatus | undefined {
    return this.#process.isFrozen || !this.#isReady ? undefined : this.#client?.status()
  }

  /** Starts the client, which is told what the operator wants. */
  start(): void {
    const { attachments } = this.plan
    const process = new Process(this.#clock, this.calendar)
    this.#process = process
    this.host.thaw()
    this.life++
    this.#credentials = new Map(attachments.map((each) => [domainName(each), this.#certificate(each)]))
    this.#isReady = false
    this.#notebook = this.#scenario.clientsRemember ? this.#openNotebook(process) : undefined
    const client = this.#newClient(process)
    this.#client = client
    void this.#awaitReady(client)
  }

  async #awaitReady(client: ClientHost): Promise<void> {
    await client.ready
    if (this.#client === client) this.#isReady = true
  }

  #newClient(process: Process): ClientHost {
    const protections = [...this.wanted.values()]
    const notebook = this.#notebook
    if (this.flaws.isTwo !== true) return this.#hostClient(process, 'client', protections, notebook)
    const one = this.#hostClient(process, 'client', [], undefined)
    const both = twoClients(one, this.#hostClient(process, 'other client', [], undefined))
    for (const each of protections) both.protect(each)
    return both
  }

  #hostClient(
    process: Process,
    name: string,
    protections: readonly ProtectionRequest[],
    notebook: Notebook | undefined
  ): ClientHost {
    const { number, attachments } = this.plan
    const { haste, isUnbound, isTwo, leavesDomain } = this.flaws
    const open = process.opener(this.host)
    const configuration = wantedConfiguration(this.#scenario)
    return hostDotsClient({
      clock: haste === undefined ? process : new HastyClock(process, haste),
      entropy: seededEntropy(derivedSeed(this.#scenario.seed, `${name} ${number}.${this.life}`)),
      open: isUnbound === true ? unbound(open) : leavesDomain === true ? this.#astray(open) : open,
      openStream: process.streamOpener(this.host),
      site: isTwo === true ? withoutSafetyNet(this.#site) : this.#site,
      credentials: this.#credentials,
      cuids: new Map(attachments.map((each) => [domainName(each), cuidOf(number, each)])),
      log: silentLog,
      protections,
      happyEyeballs: { udpProbeSeconds: this.flaws.udpProbeSeconds ?? LEAST_UDP_PROBE_SECONDS },
      ...(notebook === undefined ? {} : { notebook }),
      ...(configuration === undefined ? {} : { configuration }),
      parameters: commonParameters(this.#scenario)
    })
  }

  /** To where it is sent it goes by way of the next provider's server. */
  #astray(open: OpenSecureEndpoint): OpenSecureEndpoint {
    const { providers, alternates } = this.#scenario
    return astray(open, (told) => {
      const at = alternates.findIndex((_, index) => isServerAt(providers + index, told))
      if (at < 0) return told
      const other = ((alternates[at] ?? 0) + 1) % providers
      return serverAddresses(other).find(({ family }) => family === told.family) ?? told
    })
  }

  perform(action: Action): void {
    if (action.kind === 'release') {
      this.wanted.delete(action.protection)
      this.#process.whenAwake(() => this.#client?.release(ProtectionId(action.protection)))
      return
    }
    const request: ProtectionRequest = {
      id: ProtectionId(action.protection),
      target: {
        prefixes: action.prefixes.map(prefix),
        ports: action.ports.map(([lower, upper]) => ({ lower, upper })),
        protocols: action.protocols
      },
      lifetime: action.lifetimeSeconds,
      allowPartial: action.allowPartial,
      require: 'all'
    }
    this.wanted.set(action.protection, request)
    this.wantedSince.set(action.protection, this.#clock.now())
    if (this.flaws.isDeaf === true && this.#wishes++ % 3 === 0) return
    this.#process.whenAwake(() => {
      // Of two wishes that a frozen client hears when it goes on, it acts on the first before it knows the second.
      if (this.wanted.get(action.protection) === request)
        this.wantedSince.set(action.protection, this.#clock.now())
      this.#client?.protect(request)
    })
  }

  /** The newest certificate for this provider, as a reload reads it. */
  renewCertificate(provider: number): void {
    if (!this.plan.attachments.includes(provider)) return
    const certificate = this.#certificate(provider)
    // Endpoints that are opened later get it from here.
    this.#credentials.set(domainName(provider), certificate)
    const sources = siteAddresses(this.plan.number, provider)
    for (const [endpoint, local] of this.#process.endpoints)
      if (sources.some((own) => equalIpAddresses(local.address, own))) endpoint.reload?.(certificate)
  }

  /** The provider's translator forgets its mappings. */
  rebind(provider: number): void {
    this.host.link(interfaceName(provider)).translation?.rebind()
  }

  /** From now on, the link to this provider lets nothing of these kinds through. */
  block(provider: number, kinds: readonly TrafficKind[]): void {
    if (kinds.length === 0) this.#blocked.delete(provider)
    else this.#blocked.set(provider, kinds)
  }

  #isBlocked(transport: Transport, { local, remote }: NetworkPath): boolean {
    for (const [provider, kinds] of this.#blocked) {
      if (!kinds.some((kind) => kind === transport || kind === local.address.family)) continue
      const own = siteAddresses(this.plan.number, provider)
      if (own.some((each) => equalIpAddresses(each, local.address) || equalIpAddresses(each, remote.address)))
        return true
    }
    return false
  }

  /** As SIGSTOP does to a program that runs. */
  freeze(): void {
    if (!this.#process.isAlive) return
    this.#process.freeze()
    this.host.freeze()
  }

  thaw(): void {
    this.#process.thaw()
    this.host.thaw()
  }

  crash(): void {
    this.#process.kill()
    this.host.crash()
    this.#client = undefined
  }

  /** In good order: what is to be remembered is written down while the program ends. */
  async stop(): Promise<void> {
    const process = this.#process
    const notebook = this.#notebook
    const client = this.#client
    this.#client = undefined
    // Its commits take virtual time, which does not pass while somebody waits for this.
    void notebook?.close().then(() => process.kill())
    await client?.close()
    if (notebook === undefined) process.kill()
  }

  /** Its operator lets later lives of the client go over TCP, too. */
  allowTcp(): void {
    this.#site = {
      ...this.#site,
      domains: this.#site.domains.map((domain) => ({
        ...domain,
        servers: domain.servers.map((server) => ({ ...server, transports: ['udp', 'tcp'] }))
      }))
    }
  }

  #openNotebook(process: Process): Notebook {
    return new Notebook(this.disk.mount(process), process, {
      onDamaged: () => undefined,
      onFailure: () => undefined
    })
  }

  #certificate(provider: number): ReturnType<typeof simulatedCertificate> {
    const notAfter = this.#dates.notAfter('clients', provider)
    return credentialsOf(provider, clientNameOf(this.plan.number, provider), notAfter)
  }
}

/** Two clients that ask for the same would be told by their haste alone. */
function withoutSafetyNet({ domains, ...site }: Site): Site {
  return { ...site, domains: domains.map((domain) => ({ ...domain, preconfigured: [] })) }
}

export function domainName(provider: number): DomainName {
  return DomainName(`provider-${provider}`)
}

/** The cuid of a site at a provider; each provider gets another one. */
export function cuidOf(site: number, provider: number): Cuid {
  const cuid = parseCuid(`site-${site}.at-${provider}`)
  if (cuid === undefined) throw new RangeError('no cuid')
  return cuid
}

/** The site as its operator configured it. */
export function siteOf({ number, attachments, announcedThrough, standing, transports }: SitePlan): Site {
  const isEverywhere = announcedThrough.length === attachments.length
  return {
    domains: attachments.map((provider) => ({
      name: domainName(provider),
      kind: 'access',
      interfaces: [interfaceName(provider)],
      prefixes: assignedPrefixes(number, provider).map(prefix),
      sources: siteAddresses(number, provider),
      preconfigured: standing
        .filter((each) => each.provider === provider)
        .map((each) => ({
          target: { prefixes: [prefix(each.prefix)], ports: [], protocols: [] },
          lifetime: each.lifetimeSeconds
        })),
      servers: [
        {
          name: ServerName(domainName(provider)),
          domain: domainName(provider),
          referenceName: serverNameOf(provider),
          addresses: serverAddresses(provider),
          transports,
          port: 4646
        }
      ]
    })),
    providerIndependent: ownPrefixes(number).map((text) => ({
      prefix: prefix(text),
      ...(isEverywhere ? {} : { domains: announcedThrough.map(domainName) })
    }))
  }
}
