import { Seconds, after, equalIpAddresses, silentLog } from '@breakwater/core'
import { LEAST_UDP_PROBE_SECONDS, Notebook, ProtectionId, hostDotsClient } from '@breakwater/dots'
import type { Duration, Instant, OpenSecureEndpoint } from '@breakwater/core'
import type {
  ClientHost,
  ClientStatus,
  DomainName,
  ProtectionRequest,
  Resolver,
  Site
} from '@breakwater/dots'
import { derivedSeed, seededEntropy } from '@breakwater/testing'
import type { simulatedCertificate } from '@breakwater/testing'
import type {
  Link,
  SimulatedHost,
  SimulatedNetwork,
  SimulatedRouter,
  VirtualClock
} from '@breakwater/testing'
import { Chance } from '../chance.ts'
import { attachmentOf } from '../layout.ts'
import type { Attachment, ClientPlan, DomainOfClient, Layout } from '../layout.ts'
import type { Action, Course, NetworkFault } from '../scenario.ts'
import type { CertificateDates } from './certificate-dates.ts'
import { SimulatedDisk } from './disk.ts'
import { flawedOpener } from './customer-flaws.ts'
import type { CustomerFlaws } from './customer-flaws.ts'
import { Firewall } from './firewall.ts'
import { HastyClock, forgetfulOfTime, twoClients, withoutReasons } from './flawed-client.ts'
import { joinNetwork, readdress, uplinkName } from './home-network.ts'
import { Calendar, Process } from './process.ts'
import { credentialsOf } from './provider.ts'
import { commonParameters, wantedConfiguration } from './session-parameters.ts'
import { TargetNames } from './target-names.ts'
import { Wishes, requestOf } from './wishes.ts'

/** Addresses that are on their way out stay so long: a session moves, and a server that goes is withdrawn from. */
const FAREWELL: Duration = Seconds(200)

/** What was sent before an address went has arrived by then. */
const ON_THE_WAY: Duration = Seconds(5)

/** A site with its DOTS client, and the operator's wishes, which survive it as the agent's archive does. */
export class Customer {
  readonly plan: ClientPlan
  readonly host: SimulatedHost
  /** The CPE that it is behind; undefined: it has the links itself. */
  readonly router: SimulatedRouter | undefined
  readonly calendar: Calendar = new Calendar()
  readonly firewall: Firewall
  /** Holds the client's notebook. */
  readonly disk: SimulatedDisk
  readonly wishes: Wishes
  /** Planted bugs: what is wrong with it. */
  readonly flaws: CustomerFlaws = {}
  /** Told what its operator is about to want, too; undefined: less than before. */
  onWish: (request: ProtectionRequest | undefined) => void = () => undefined
  /** When the client was last told that its network has changed; undefined: never. */
  toldAt: Instant | undefined
  /** Which life of the client this is, from 0. */
  life = -1
  readonly #scenario: Course
  readonly #layout: Layout
  readonly #clock: VirtualClock
  readonly #changeSite: (site: Site) => Site
  #network: readonly NetworkFault[] = []
  #mayUseTcp = false
  readonly #dates: CertificateDates
  readonly #names: TargetNames | undefined
  #credentials = new Map<DomainName, ReturnType<typeof simulatedCertificate>>()
  #process: Process
  #client: ClientHost | undefined
  #heard = 0
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
    this.firewall = new Firewall(plan)
    this.#names = plan.names === undefined ? undefined : new TargetNames(plan.names, clock)
    this.wishes = new Wishes(plan.oracle, this.#names)
    network.block(({ transport, path }) => this.firewall.isBlocked(transport, path))
    this.#process = new Process(clock, this.calendar)
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
    this.#names?.disturb()
    this.wishes.forgetPlaced()
    this.wishes.notePlaced(this.#clock.now())
    this.#credentials = new Map(this.plan.domains.map((each) => [each.name, this.#certificate(each)]))
    this.#isReady = false
    this.#notebook = this.#scenario.clientsRemember ? this.#openNotebook(process) : undefined
    const client = this.#newClient(process)
    this.#client = client
    void this.#awaitReady(client)
  }

  async #awaitReady(client: ClientHost): Promise<void> {
    await client.ready
    if (this.#client !== client) return
    this.#isReady = true
    this.#names?.disturb()
  }

  #newClient(process: Process): ClientHost {
    const protections = [...this.wishes.wanted.values()]
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
      ...(this.#names === undefined ? {} : { siteResolver: this.#resolver(this.#names, process) }),
      ...(configuration === undefined ? {} : { configuration }),
      parameters: commonParameters(this.#scenario)
    })
  }

  #resolver(names: TargetNames, process: Process): Resolver {
    const resolver = names.resolver(process)
    return this.flaws.asksOnce === true ? forgetfulOfTime(resolver) : resolver
  }

  #opener(process: Process): OpenSecureEndpoint {
    const open = process.opener(this.host)
    const names = (this.plan.names?.names ?? []).slice(0, 1).map(({ name }) => name)
    const words = (): string[] => (this.flaws.tellsNames === true ? names : [...this.wishes.wanted.keys()])
    return flawedOpener(open, this.flaws, this.#layout, process, words)
  }

  perform(action: Action): void {
    if (action.kind === 'release') {
      this.onWish(undefined)
      this.wishes.wanted.delete(action.protection)
      this.#process.whenAwake(() => this.#client?.release(ProtectionId(action.protection)))
      return
    }
    const request = requestOf(action)
    this.onWish(request)
    this.wishes.want(action.protection, request, this.#clock.now())
    if (this.flaws.isDeaf === true && this.#heard++ % 3 === 0) return
    this.#process.whenAwake(() => {
      // Of two wishes that a frozen client hears when it goes on, it acts on the first before it knows the second.
      const isWanted = this.wishes.wanted.get(action.protection) === request
      if (isWanted) this.wishes.want(action.protection, request, this.#clock.now())
      this.wishes.notePlaced(this.#clock.now())
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
      this.toldAt = this.#clock.now()
      this.wishes.beforeChange(this.toldAt)
      network.told(changes, this.toldAt)
      this.wishes.notePlaced(this.#clock.now())
      if (this.flaws.isUntoldOfNetwork !== true) this.#client?.updateSite({ site: this.#site })
    })
    if (!isGentle) this.#readdress(attachments, 'routed')
    this.#clock.schedule(after(this.#clock.now(), isGentle ? FAREWELL : ON_THE_WAY), () => {
      if (this.#network === changes) this.#readdress(attachments, 'none')
    })
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
    this.#names?.disturb()
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
