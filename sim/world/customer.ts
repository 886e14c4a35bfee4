import { Seconds, after, equalIpAddresses, silentLog } from '@breakwater/core'
import { LEAST_UDP_PROBE_SECONDS, Notebook, ProtectionId, hostDotsClient } from '@breakwater/dots'
import type {
  Duration,
  Instant,
  IpFamily,
  NetworkPath,
  OpenSecureEndpoint,
  Transport
} from '@breakwater/core'
import type { ClientHost, ClientStatus, DomainName, ProtectionRequest, Site } from '@breakwater/dots'
import { derivedSeed, seededEntropy } from '@breakwater/testing'
import type { simulatedCertificate } from '@breakwater/testing'
import type {
  Link,
  SimulatedHost,
  SimulatedNetwork,
  SimulatedRouter,
  VirtualClock
} from '@breakwater/testing'
import { prefix } from '../addressing.ts'
import { Chance } from '../chance.ts'
import { attachmentOf, serverAt } from '../layout.ts'
import type { Attachment, ClientPlan, DomainOfClient, Layout } from '../layout.ts'
import type { Expectation } from '../oracle/facts.ts'
import type { Action, Course, NetworkFault } from '../scenario.ts'
import type { CertificateDates } from './certificate-dates.ts'
import { SimulatedDisk } from './disk.ts'
import {
  HastyClock,
  astray,
  inTurn,
  talkative,
  twoClients,
  unbound,
  withoutReasons
} from './flawed-client.ts'
import { joinNetwork, readdress, uplinkName } from './home-network.ts'
import { Calendar, Process } from './process.ts'
import { credentialsOf } from './provider.ts'
import { commonParameters, wantedConfiguration } from './session-parameters.ts'

/** Addresses that are on their way out stay so long: a session moves, and a server that goes is withdrawn from. */
const FAREWELL: Duration = Seconds(200)

/** What was sent before an address went has arrived by then. */
const ON_THE_WAY: Duration = Seconds(5)

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
  /** Whoever asks gets the certificate that it has of its first provider. */
  hasOneCertificate?: boolean
  /** Behind every message it writes what its operator calls the protections. */
  isTalkative?: boolean
  /** It does not show its operator why these do not protect, or why nobody is asked about a part. */
  saysNothingOf?: 'servers' | 'unasked'
  /** It tells each server of everything so much later than the one before. */
  asksInTurn?: boolean
}

/** A site with its DOTS client, and the operator's wishes, which survive it as the agent's archive does. */
export class Customer {
  readonly plan: ClientPlan
  readonly host: SimulatedHost
  /** The CPE that it is behind; undefined: it has the links itself. */
  readonly router: SimulatedRouter | undefined
  readonly calendar: Calendar = new Calendar()
  /** Holds the client's notebook. */
  readonly disk: SimulatedDisk
  /** What the operator wants protected now. */
  readonly wanted = new Map<string, ProtectionRequest>()
  /** Since when, by its name. */
  readonly wantedSince = new Map<string, Instant>()
  /** Planted bugs: what is wrong with it. */
  readonly flaws: CustomerFlaws = {}
  /** Told what its operator is about to want, too; undefined: less than before. */
  onWish: (request: ProtectionRequest | undefined) => void = () => undefined
  /** Which life of the client this is, from 0. */
  life = -1
  readonly #scenario: Course
  readonly #layout: Layout
  readonly #clock: VirtualClock
  readonly #changeSite: (site: Site) => Site
  #network: readonly NetworkFault[] = []
  #mayUseTcp = false
  /** Requests that this life of the client asked somebody for. */
  #placed = new WeakSet<ProtectionRequest>()
  /** The same requests, where a part is enough. */
  readonly #lenient = new WeakMap<ProtectionRequest, ProtectionRequest>()
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
    scenario: Course,
    plan: ClientPlan,
    layout: Layout,
    network: SimulatedNetwork,
    clock: VirtualClock,
    changeSite: (site: Site) => Site,
    dates: CertificateDates
  ) {
    this.#dates = dates
    this.plan = plan
    this.disk = new SimulatedDisk(new Chance(scenario.seed, `notebook ${plan.number}`))
    this.#scenario = scenario
    this.#layout = layout
    this.#clock = clock
    this.#changeSite = changeSite
    const { host, router } = joinNetwork(plan, scenario, network)
    this.host = host
    this.router = router
    network.block(({ transport, path }) => this.#isBlocked(transport, path))
    this.#process = new Process(clock, this.calendar)
  }

  /** What must come of a request: what was taken up once is not refused when a piece of it is nobody's any more. */
  expect(request: ProtectionRequest, at: Instant): Expectation {
    const { oracle } = this.plan
    const found = oracle.expect(request, at)
    if (!found.isRefused || !this.#placed.has(request)) return found
    const lenient = this.#lenient.get(request) ?? { ...request, allowPartial: true }
    this.#lenient.set(request, lenient)
    return oracle.expect(lenient, at)
  }

  /** Undefined while it is down. */
  get client(): ClientHost | undefined {
    return this.#client
  }

  /** Undefined while it is down, starting or standing still. */
  status(): ClientStatus | undefined {
    const status = this.#process.isFrozen || !this.#isReady ? undefined : this.#client?.status()
    const { saysNothingOf } = this.flaws
    return status === undefined || saysNothingOf === undefined
      ? status
      : withoutReasons(status, saysNothingOf)
  }

  /** Starts the client, which is told what the operator wants. */
  start(): void {
    const process = new Process(this.#clock, this.calendar)
    this.#process = process
    this.host.thaw()
    this.life++
    this.plan.network?.told(this.#network, this.#clock.now())
    this.#placed = new WeakSet()
    this.#notePlaced()
    this.#credentials = new Map(this.plan.domains.map((each) => [each.name, this.#certificate(each)]))
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
    const { number, domains } = this.plan
    const { haste, isTwo } = this.flaws
    const configuration = wantedConfiguration(this.#scenario)
    return hostDotsClient({
      clock: haste === undefined ? process : new HastyClock(process, haste),
      entropy: seededEntropy(derivedSeed(this.#scenario.seed, `${name} ${number}.${this.life}`)),
      open: this.#opener(process),
      openStream: process.streamOpener(this.host),
      site: isTwo === true ? withoutSafetyNet(this.#site) : this.#site,
      credentials: this.#credentials,
      cuids: new Map(domains.map(({ name: domain, cuid }) => [domain, cuid])),
      log: silentLog,
      protections,
      warmStandby: this.#scenario.standsBy ? 'apart' : 'off',
      happyEyeballs: { udpProbeSeconds: this.flaws.udpProbeSeconds ?? LEAST_UDP_PROBE_SECONDS },
      ...(notebook === undefined ? {} : { notebook }),
      ...(configuration === undefined ? {} : { configuration }),
      parameters: commonParameters(this.#scenario)
    })
  }

  #opener(process: Process): OpenSecureEndpoint {
    const { isUnbound, leavesDomain, isTalkative, asksInTurn } = this.flaws
    const open = process.opener(this.host)
    if (isUnbound === true) return unbound(open)
    if (leavesDomain === true) return this.#astray(open)
    if (isTalkative === true) return talkative(open, () => [...this.wanted.keys()])
    return asksInTurn === true ? inTurn(open, process) : open
  }

  /** To where it is sent it goes by way of the next provider's server. */
  #astray(open: OpenSecureEndpoint): OpenSecureEndpoint {
    const { servers } = this.#layout
    return astray(open, (told) => {
      const at = servers[serverAt(this.#layout, told) ?? -1]
      if (at === undefined || at.standsFor === at.number) return told
      const other = servers.find(({ number, standsFor, home }) => number === standsFor && home !== at.home)
      return other?.addresses.find(({ family }) => family === told.family) ?? told
    })
  }

  perform(action: Action): void {
    if (action.kind === 'release') {
      this.onWish(undefined)
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
    this.onWish(request)
    this.wanted.set(action.protection, request)
    this.wantedSince.set(action.protection, this.#clock.now())
    if (this.flaws.isDeaf === true && this.#wishes++ % 3 === 0) return
    this.#process.whenAwake(() => {
      // Of two wishes that a frozen client hears when it goes on, it acts on the first before it knows the second.
      if (this.wanted.get(action.protection) === request)
        this.wantedSince.set(action.protection, this.#clock.now())
      this.#notePlaced()
      this.#client?.protect(request)
    })
  }

  /** The newest certificate for this provider, as a reload reads it. */
  renewCertificate(provider: number): void {
    const domain = this.plan.domains.find(({ number }) => number === provider)
    if (domain === undefined) return
    const certificate = this.#certificate(domain)
    // Endpoints that are opened later get it from here.
    this.#credentials.set(domain.name, certificate)
    const sources = attachmentOf(this.plan, provider)?.addresses ?? []
    for (const [endpoint, local] of this.#process.endpoints)
      if (sources.some((own) => equalIpAddresses(local.address, own))) endpoint.reload?.(certificate)
  }

  /** The link to a provider; undefined: there is none. */
  linkTo(provider: number): Link | undefined {
    const attachment = attachmentOf(this.plan, provider)
    if (attachment === undefined) return undefined
    return this.router?.uplink(uplinkName(attachment.domain)).link ?? this.host.link(attachment.interface)
  }

  /** The provider's translator forgets its mappings. */
  rebind(provider: number): void {
    this.linkTo(provider)?.translation?.rebind()
  }

  /** From now on, the link to this provider lets nothing of these kinds through. */
  block(provider: number, kinds: readonly TrafficKind[]): void {
    if (kinds.length === 0) this.#blocked.delete(provider)
    else this.#blocked.set(provider, kinds)
  }

  #isBlocked(transport: Transport, { local, remote }: NetworkPath): boolean {
    for (const [provider, kinds] of this.#blocked) {
      if (!kinds.some((kind) => kind === transport || kind === local.address.family)) continue
      const own = attachmentOf(this.plan, provider)?.addresses ?? []
      if (own.some((each) => equalIpAddresses(each, local.address) || equalIpAddresses(each, remote.address)))
        return true
    }
    return false
  }

  /** These changes are on its network now, and the last of them has just begun or ended. */
  changeNetwork(changes: readonly NetworkFault[], { strength }: NetworkFault): void {
    const { network } = this.plan
    if (network === undefined) return
    this.#network = changes
    const { attachments } = network.under(changes)
    const isGentle = strength < 0.5
    if (isGentle) this.#readdress(attachments, 'all')
    this.#process.whenAwake(() => {
      if (this.#network !== changes) return
      network.told(changes, this.#clock.now())
      this.#notePlaced()
      this.#client?.updateSite({ site: this.#site })
    })
    if (!isGentle) this.#readdress(attachments, 'routed')
    this.#clock.schedule(after(this.#clock.now(), isGentle ? FAREWELL : ON_THE_WAY), () => {
      if (this.#network === changes) this.#readdress(attachments, 'none')
    })
  }

  #notePlaced(): void {
    const now = this.#clock.now()
    for (const request of this.wanted.values())
      if (this.plan.oracle.expect(request, now).asked.length > 0) this.#placed.add(request)
  }

  /** Gives the links these addresses, and lets them keep the others where they may. */
  #readdress(links: readonly Attachment[], keepsOthers: Parameters<typeof readdress>[3]): void {
    const now = new Map(links.map(({ domain, addresses }) => [domain, addresses]))
    readdress(this.plan, this, (domain) => now.get(domain) ?? [], keepsOthers)
  }

  /** As its operator configured it. */
  get #site(): Site {
    const site = this.#changeSite(this.plan.network?.under(this.#network).site ?? this.plan.site)
    return this.#mayUseTcp ? withTcp(site) : site
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
    this.#mayUseTcp = true
  }

  #openNotebook(process: Process): Notebook {
    return new Notebook(this.disk.mount(process), process, {
      onDamaged: () => undefined,
      onFailure: () => undefined
    })
  }

  #certificate(own: DomainOfClient): ReturnType<typeof simulatedCertificate> {
    const [first = own] = this.plan.domains
    const { number, subject } = this.flaws.hasOneCertificate === true ? { ...first, number: own.number } : own
    return credentialsOf(number, subject, this.#dates.notAfter('clients', number))
  }
}

function withTcp(site: Site): Site {
  return {
    ...site,
    domains: site.domains.map((domain) => ({
      ...domain,
      servers: domain.servers.map((server) => ({ ...server, transports: ['udp', 'tcp'] }))
    }))
  }
}

/** Two clients that ask for the same would be told by their haste alone. */
function withoutSafetyNet({ domains, ...site }: Site): Site {
  return { ...site, domains: domains.map((domain) => ({ ...domain, preconfigured: [] })) }
}
