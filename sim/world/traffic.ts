import { equalIpAddresses } from '@breakwater/core'
import type { TraceEntry } from '@breakwater/testing'
import { serverAddresses, siteAt } from '../addressing.ts'
import type { Scenario } from '../scenario.ts'
import { contentOf } from './wire.ts'
import type { DatagramContent } from './wire.ts'

/** One datagram between a site and a provider, when it leaves or arrives. */
export interface Traffic extends DatagramContent {
  readonly entry: TraceEntry
  readonly when: 'sent' | 'delivered'
  readonly direction: 'to-server' | 'to-client'
  readonly site: number
  /** Undefined: no provider has the address that it goes to. */
  readonly provider: number | undefined
}

/** Reads a trace, each datagram once. */
export class TrafficReader {
  readonly #scenario: Scenario
  /** What is under way, by its number. */
  readonly #read = new Map<number, DatagramContent>()

  constructor(scenario: Scenario) {
    this.#scenario = scenario
  }

  /** Undefined for what neither leaves nor arrives. */
  read(entry: TraceEntry): Traffic | undefined {
    const { fate, from, path } = entry
    if (fate.kind === 'dropped') this.#read.delete(entry.datagram)
    if (fate.kind !== 'sent' && fate.kind !== 'delivered') return undefined
    const [role, number] = splitName(from)
    const common = { entry, when: fate.kind, ...this.#content(entry) }
    if (role === 'site') {
      const provider = this.#providerAt(path.remote.address)
      return { ...common, direction: 'to-server', site: number, provider }
    }
    return { ...common, direction: 'to-client', site: siteAt(path.remote.address), provider: number }
  }

  #content(entry: TraceEntry): DatagramContent {
    const { datagram, fate } = entry
    const content = this.#read.get(datagram) ?? contentOf(entry)
    if (fate.kind === 'sent') this.#read.set(datagram, content)
    else this.#read.delete(datagram)
    return content
  }

  #providerAt(remote: TraceEntry['path']['remote']['address']): number | undefined {
    for (let provider = 0; provider < this.#scenario.providers; provider++)
      if (serverAddresses(provider).some((own) => equalIpAddresses(own, remote))) return provider
    return undefined
  }
}

function splitName(name: string): [role: string, number: number] {
  const dash = name.indexOf('-')
  return [name.slice(0, dash), Number(name.slice(dash + 1))]
}
