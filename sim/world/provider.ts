import { Milliseconds, Seconds, after } from '@breakwater/core'
import type { Duration, Instant, Log, LogFields, OpenSecureEndpoint, WallTime } from '@breakwater/core'
import { hostDotsServer } from '@breakwater/dots'
import type { MitigationSnapshot, Redirection, ServerEvent, ServerHost, ServerPolicy } from '@breakwater/dots'
import { derivedSeed, seededEntropy, simulatedCertificate } from '@breakwater/testing'
import type { SimulatedHost, SimulatedNetwork, VirtualClock } from '@breakwater/testing'
import { Chance } from '../chance.ts'
import type { ServerPlan } from '../layout.ts'
import type { Course } from '../scenario.ts'
import type { CertificateDates } from './certificate-dates.ts'
import { SimulatedDisk } from './disk.ts'
import { FilterDevice } from './filter-device.ts'
import { FalseWithdrawals, forgetful } from './flawed-server.ts'
import { inUnknownVersion, inVersion1 } from './older-records.ts'
import { Calendar, Process } from './process.ts'
import { commonParameters } from './session-parameters.ts'

/** Collection of the record store that the server keeps its mitigations in. */
export const MITIGATIONS = 'mitigations'

/** RFC 9132 §4.6: a time to live without end. */
export const FOR_EVER_SECONDS: number = 2 ** 32 - 1

/** After what time the keeper of a program starts it again when its start fails. */
const START_RETRY: Duration = Seconds(5)

/** A running server reads the calendar every minute and then writes its records anew; a bad disk takes its time. */
const RESTAMPED_AFTER: Duration = Seconds(240)

/** Bugs that can be planted in a server from outside. */
export interface ProviderFlaws {
  policy?: Partial<ServerPolicy>
  /** Its redirects have no end. */
  redirectsForEver?: boolean
  /** What an older program left is Greek to it. */
  readsNoOldRecords?: boolean
  /** It withdraws what is in force for a client that comes back. */
  stopsAtRecovery?: boolean
  /** It says yes to every configuration, and takes note of none. */
  forgetsConfigurations?: boolean
}

/** A DOTS server of a provider, with a disk and a filter device that survive it. */
export class Provider {
  readonly plan: ServerPlan
  readonly disk: SimulatedDisk
  readonly device: FilterDevice
  readonly calendar: Calendar = new Calendar()
  readonly host: SimulatedHost
  /** Faults of our own that it logged. */
  readonly faults: string[] = []
  /** Told when the server has taken up its records, with how far their dates may be wrong. */
  onRecovered: (doubt: Duration) => void = () => undefined
  /** Told when the server took the signal of a client domain for lost, and this counts for it. */
  onSignalLost: (customer: string) => void = () => undefined
  /** Planted bugs: what its operator did not want. */
  readonly flaws: ProviderFlaws = {}
  /** That a server of its found on its disk. */
  oldRecords = 0
  /** When this life of the server began to serve. */
  startedAt: Instant
  readonly #clock: VirtualClock
  readonly #scenario: Course
  readonly #alternate: ServerPlan | undefined
  readonly #dates: CertificateDates
  #process: Process
  #server: ServerHost | undefined
  readonly #falseWithdrawals = new FalseWithdrawals()
  #lives = 0
  /** As its operator configured it, for the next life, too. */
  #redirection: Redirection | undefined
  /** A step of the calendar that the records may not show yet. */
  #step: { readonly by: Duration; readonly at: Instant } | undefined
  #doubt: Duration = Seconds(0)

  constructor(
    scenario: Course,
    plan: ServerPlan,
    alternate: ServerPlan | undefined,
    network: SimulatedNetwork,
    clock: VirtualClock,
    dates: CertificateDates
  ) {
    const { number } = plan
    this.plan = plan
    this.#alternate = alternate
    this.startedAt = clock.now()
    this.#dates = dates
    this.#scenario = scenario
    this.#clock = clock
    this.disk = new SimulatedDisk(new Chance(scenario.seed, `disk ${number}`))
    this.device = new FilterDevice(new Chance(scenario.seed, `device ${number}`))
    this.host = network.addHost(`provider-${number}`, {
      interfaces: [{ name: 'eth0', addresses: plan.addresses }]
    })
    this.#process = new Process(clock, this.calendar)
  }

  /** Of the server. */
  get number(): number {
    return this.plan.number
  }

  /** The domain that it belongs to. */
  get home(): number {
    return this.plan.home
  }

  /** Undefined while it is down or starting. */
  get server(): ServerHost | undefined {
    return this.#server
  }

  get isUp(): boolean {
    return this.#process.isAlive
  }

  /** All mitigations at present; empty while it is down. */
  mitigations(): readonly MitigationSnapshot[] {
    return this.#server?.mitigations() ?? []
  }

  /** Starts the server, as often as it takes. */
  async start(): Promise<void> {
    const process = new Process(this.#clock, this.calendar)
    this.#process = process
    this.host.thaw()
    const redirection = this.#redirection
    try {
      const server = await hostDotsServer({
        clock: process,
        entropy: seededEntropy(derivedSeed(this.#scenario.seed, `server ${this.number}.${this.#lives++}`)),
        open: this.#opener(process),
        openStream: process.streamOpener(this.host),
        listen: this.plan.addresses.flatMap((address) =>
          (['udp', 'tcp'] as const).map((transport) => ({
            transport,
            local: { address, port: 4646 },
            certificate: this.#certificate()
          }))
        ),
        store: this.disk.mount(process),
        mitigator: this.device.attach(process),
        domains: this.plan.customers,
        policy: this.#policy,
        onEvent: (event) => this.#note(event),
        log: this.#log
      })
      if (!process.isAlive) return
      this.#server = server
      // Its operator may have changed that while it started.
      if (this.#redirection !== redirection) server.redirect(this.#redirection)
      this.startedAt = this.#clock.now()
      this.onRecovered(this.#doubt)
      this.#doubt = Seconds(0)
    } catch {
      process.schedule(after(process.now(), START_RETRY), () => void this.start())
    }
  }

  /** Sets the calendar forward, or back where `by` is negative. */
  stepCalendar(by: Duration): void {
    const distance = Milliseconds(Math.abs(by))
    this.calendar.step(by)
    if (this.#server === undefined) this.#addDoubt(distance)
    else this.#step = { by: distance, at: this.#clock.now() }
  }

  /** Sends clients to its provider's second server for so long, or nowhere any more. @returns whether there is one. */
  redirect(ttlSeconds: number | undefined): boolean {
    const alternate = this.#alternate
    if (alternate === undefined) return false
    this.#redirection =
      ttlSeconds === undefined
        ? undefined
        : {
            server: alternate.name,
            addresses: alternate.addresses,
            ttlSeconds: this.flaws.redirectsForEver === true ? FOR_EVER_SECONDS : ttlSeconds,
            clients: 'all'
          }
    this.#process.whenAwake(() => this.#server?.redirect(this.#redirection))
    return true
  }

  /** The newest certificate that there is, as a reload reads it. */
  renewCertificate(): void {
    for (const endpoint of this.#process.endpoints.keys())
      endpoint.reload?.({ certificate: this.#certificate() })
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

  /**
   * Stops in good order, as for a new version of the program, which `start` then starts on the same store.
   * @param isOld The program that stops wrote records of version 1.
   */
  upgrade(isOld: boolean): void {
    this.#noteStep()
    const process = this.#process
    const server = this.#server
    this.#server = undefined
    if (server !== undefined) void server.stop()
    process.kill()
    const { readsNoOldRecords } = this.flaws
    if (isOld)
      this.oldRecords += this.disk.rewrite(
        MITIGATIONS,
        readsNoOldRecords === true ? inUnknownVersion : inVersion1
      )
    this.host.crash()
  }

  /** As `kill -9` does. */
  crash(): void {
    this.#noteStep()
    this.#process.kill()
    this.host.crash()
    this.#server = undefined
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
    this.#process.kill()
    this.#server = undefined
  }

  get #policy(): Partial<ServerPolicy> {
    const { onSignalLoss } = this.#scenario
    return {
      onSignalLoss: onSignalLoss[this.home] ?? 'replace',
      redirection: this.#redirection,
      session: commonParameters(this.#scenario),
      ...this.flaws.policy
    }
  }

  #opener(process: Process): OpenSecureEndpoint {
    const { forgetsConfigurations, stopsAtRecovery } = this.flaws
    const open = process.opener(this.host)
    if (forgetsConfigurations === true) return forgetful(open)
    return stopsAtRecovery === true ? this.#falseWithdrawals.opener(open) : open
  }

  #note(event: ServerEvent): void {
    if (event.kind === 'session-established' && this.flaws.stopsAtRecovery === true) this.#stopAll(event)
    if (event.kind !== 'signal-lost') return
    const { customers } = this.plan
    const customer = customers.find(({ dnsNames }) => dnsNames.some((own) => event.client.endsWith(own)))
    if (customer !== undefined) this.onSignalLost(customer.name)
  }

  /** A moment later: the server is about to take the session up. */
  #stopAll({ peer, domain, transport }: Extract<ServerEvent, { kind: 'session-established' }>): void {
    const process = this.#process
    if (transport !== 'udp') return
    process.schedule(after(process.now(), Milliseconds(1)), () => {
      for (const mitigation of this.mitigations())
        if (mitigation.domain === domain && mitigation.state === 'active')
          this.#falseWithdrawals.hear(peer, mitigation)
    })
  }

  #certificate(): ReturnType<typeof simulatedCertificate> {
    const notAfter = this.#dates.notAfter('server', this.number)
    return credentialsOf(this.home, this.plan.name, notAfter)
  }

  #noteStep(): void {
    if (this.#step !== undefined && after(this.#step.at, RESTAMPED_AFTER) > this.#clock.now())
      this.#addDoubt(this.#step.by)
    this.#step = undefined
  }

  #addDoubt(by: Duration): void {
    this.#doubt = Milliseconds(this.#doubt + by)
  }

  readonly #log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (event: string, fields?: LogFields) => {
      if (event === 'server.fault') this.faults.push(JSON.stringify(fields))
    }
  }
}

export function credentialsOf(
  provider: number,
  name: string,
  notAfter: WallTime | undefined
): ReturnType<typeof simulatedCertificate> {
  return simulatedCertificate({
    authority: `authority ${provider}`,
    subject: name,
    dnsNames: [name],
    ...(notAfter === undefined ? {} : { notAfter })
  })
}
