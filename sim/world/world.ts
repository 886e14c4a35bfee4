import { Milliseconds } from '@breakwater/core'
import type { ProtectionRequest, Site } from '@breakwater/dots'
import { SimulatedNetwork, VirtualClock, derivedSeed } from '@breakwater/testing'
import type { TraceEntry } from '@breakwater/testing'
import type { PlantedBug } from '../canary.ts'
import type { WorldView } from '../invariants/invariant.ts'
import type { Layout } from '../layout.ts'
import type { Course } from '../scenario.ts'
import { CertificateDates } from './certificate-dates.ts'
import { Customer } from './customer.ts'
import { Ledger } from './ledger.ts'
import { Provider } from './provider.ts'
import { TrafficReader } from './traffic.ts'
import type { Traffic } from './traffic.ts'
import { Weather } from './weather/weather.ts'

const FATES: readonly string[] = ['sent', 'duplicated', 'delivered', 'dropped']

/** Told of what happens in a world. */
export interface WorldListener {
  traffic?(traffic: Traffic): void
  /** Whatever happens to a packet. */
  trace?(entry: TraceEntry): void
  /** An operator is about to want this, too; undefined: less than before. */
  wish?(site: number, request: ProtectionRequest | undefined): void
}

/** The sites and providers of a scenario on one simulated internet. */
export class World implements WorldView {
  readonly scenario: Course
  readonly layout: Layout
  readonly clock: VirtualClock
  readonly network: SimulatedNetwork
  readonly customers: readonly Customer[]
  readonly providers: readonly Provider[]
  readonly weather: Weather
  readonly ledger: Ledger
  /** Datagrams that were sent, copied or lost. */
  #datagramEvents = 0
  /** Of all of them, in order. */
  digest = 0

  constructor(scenario: Course, layout: Layout, canary: PlantedBug | undefined, listener: WorldListener) {
    this.scenario = scenario
    this.layout = layout
    this.clock = new VirtualClock({ microtaskTurns: 24, quietTurns: 2 })
    const { clock } = this
    this.network = new SimulatedNetwork({
      clock,
      seed: derivedSeed(scenario.seed, 'network'),
      conditions: { latency: Milliseconds(1) }
    })
    const { network } = this
    const dates = new CertificateDates(scenario, clock)
    const { servers, clients } = layout
    this.providers = servers.map((plan) => {
      const alternate = plan.alternate === undefined ? undefined : servers[plan.alternate]
      return new Provider(scenario, plan, alternate, network, clock, dates)
    })
    this.customers = clients.map((plan) => {
      const changeSite = canary?.changeSite ?? ((site: Site): Site => site)
      return new Customer(scenario, plan, layout, network, clock, changeSite, dates)
    })
    for (const customer of this.customers) {
      canary?.changeCustomer?.(customer)
      customer.onWish = (request) => listener.wish?.(customer.plan.number, request)
    }
    this.weather = new Weather(clock, this.customers, this.providers)
    this.ledger = new Ledger(clock, (site) => this.customers[site]?.life ?? 0)
    for (const provider of this.providers) {
      canary?.changeProvider?.(provider)
      provider.onSignalLost = (customer) => {
        const site = clients.findIndex(({ number }) => customer === `site-${number}`)
        if (scenario.onSignalLoss[provider.home] === 'replace') this.ledger.signalLost(provider.number, site)
      }
      provider.onRecovered = (doubt) => this.ledger.doubt(provider.number, doubt)
    }
    this.#listen(listener)
  }

  /**
   * Everything that happened, each thing once: what the clock called (arrivals of datagrams and their delivery to an
   * agent, timers, answers of disks and devices, faults, wishes of operators) and datagrams sent, copied and lost.
   */
  get events(): number {
    return this.clock.callsMade + this.#datagramEvents
  }

  async start(): Promise<void> {
    for (const provider of this.providers) void provider.start()
    for (const customer of this.customers) customer.start()
    await this.clock.settle()
  }

  /** The attacks are over: everything is released. */
  releaseAll(): void {
    for (const customer of this.customers)
      for (const protection of customer.wishes.wanted.keys())
        customer.perform({ kind: 'release', at: 0, site: customer.plan.number, protection })
  }

  async stopCustomers(): Promise<void> {
    for (const customer of this.customers) await customer.stop()
  }

  async stopProviders(): Promise<void> {
    for (const provider of this.providers) await provider.stop()
  }

  #listen(listener: WorldListener): void {
    const reader = new TrafficReader(this.layout)
    this.network.tap((entry) => {
      if (entry.fate.kind !== 'delivered') this.#datagramEvents++
      for (const part of [entry.at, entry.datagram, entry.bytes.length, FATES.indexOf(entry.fate.kind)])
        this.digest = Math.imul(this.digest ^ Math.round(part * 16), 0x0100_0193)
      listener.trace?.(entry)
      for (const traffic of reader.read(entry)) {
        this.ledger.take(traffic)
        listener.traffic?.(traffic)
      }
    })
  }
}
