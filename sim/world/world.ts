import { Milliseconds } from '@breakwater/core'
import { SimulatedNetwork, VirtualClock, derivedSeed } from '@breakwater/testing'
import type { Canary } from '../canary.ts'
import type { WorldView } from '../invariants/invariant.ts'
import type { Scenario } from '../scenario.ts'
import { CertificateDates } from './certificate-dates.ts'
import { Customer, siteOf } from './customer.ts'
import { Ledger } from './ledger.ts'
import { Provider } from './provider.ts'
import { TrafficReader } from './traffic.ts'
import type { Traffic } from './traffic.ts'
import { Weather } from './weather/weather.ts'

const FATES: readonly string[] = ['sent', 'duplicated', 'delivered', 'dropped']

/** The sites and providers of a scenario on one simulated internet. */
export class World implements WorldView {
  readonly scenario: Scenario
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

  constructor(scenario: Scenario, canary: Canary | undefined, onTraffic: (traffic: Traffic) => void) {
    this.scenario = scenario
    this.clock = new VirtualClock({ microtaskTurns: 24, quietTurns: 2 })
    const { clock } = this
    this.network = new SimulatedNetwork({
      clock,
      seed: derivedSeed(scenario.seed, 'network'),
      conditions: { latency: Milliseconds(1) }
    })
    const { network } = this
    const dates = new CertificateDates(scenario, clock)
    this.providers = Array.from(
      { length: scenario.providers + scenario.alternates.length },
      (_, number) => new Provider(scenario, number, network, clock, dates)
    )
    this.customers = scenario.sites.map((plan) => {
      const site = siteOf(plan)
      return new Customer(scenario, plan, network, clock, canary?.changeSite?.(site) ?? site, dates)
    })
    for (const customer of this.customers) canary?.changeCustomer?.(customer)
    this.weather = new Weather(clock, this.customers, this.providers)
    this.ledger = new Ledger(clock, (site) => this.customers[site]?.life ?? 0)
    for (const provider of this.providers) {
      canary?.changeProvider?.(provider)
      provider.onSignalLost = (site) => {
        if (scenario.onSignalLoss[provider.home] === 'replace') this.ledger.signalLost(provider.number, site)
      }
      provider.onRecovered = (doubt) => this.ledger.doubt(provider.number, doubt)
    }
    this.#listen(onTraffic)
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
      for (const protection of customer.wanted.keys())
        customer.perform({ kind: 'release', at: 0, site: customer.plan.number, protection })
  }

  async stopCustomers(): Promise<void> {
    for (const customer of this.customers) await customer.stop()
  }

  async stopProviders(): Promise<void> {
    for (const provider of this.providers) await provider.stop()
  }

  #listen(onTraffic: (traffic: Traffic) => void): void {
    const reader = new TrafficReader(this.scenario)
    this.network.tap((entry) => {
      if (entry.fate.kind !== 'delivered') this.#datagramEvents++
      for (const part of [entry.at, entry.datagram, entry.bytes.length, FATES.indexOf(entry.fate.kind)])
        this.digest = Math.imul(this.digest ^ Math.round(part * 16), 0x0100_0193)
      for (const traffic of reader.read(entry)) {
        this.ledger.take(traffic)
        onTraffic(traffic)
      }
    })
  }
}
