import { formatIpAddress, formatIpPrefix, inSeconds } from '@breakwater/core'
import type {
  FactLifetime,
  LearntConfiguration,
  ProvisioningListener,
  ProvisioningSource,
  ProvisioningWatch
} from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

/** An IPv6 prefix of 64 bits that somebody got by an interface. */
export interface SaidPrefix {
  readonly interface: string
  /** `2001:db8:a::/64` */
  readonly prefix: string
  readonly validSeconds: number
  readonly preferredSeconds: number
}

/** A host that knows nothing at first, on two links that are up, `wan-a` and `wan-b`. */
export interface ProvisioningSourceWorld {
  readonly source: ProvisioningSource
  /** Makes the source know it; a second one by the same interface takes the place of the first. */
  say(said: SaidPrefix): Promise<void> | void
  /** Makes it forget what it knew of the interface. */
  unsay(via: string): Promise<void> | void
  close(): Promise<void> | void
}

/** Real ones hear of a change from the kernel, some only from looking every few seconds. */
const PATIENCE = { timeout: 15_000, interval: 5 } as const

/** The suite that every `ProvisioningSource` must pass. */
export function provisioningSourceContract(
  name: string,
  makeWorld: () => Promise<ProvisioningSourceWorld> | ProvisioningSourceWorld
): void {
  describe(`provisioning source contract: ${name}`, () => {
    let world: ProvisioningSourceWorld
    let told: ToldConfigurations
    let watch: ProvisioningWatch | undefined
    const open = async (): Promise<void> => {
      watch = world.source.watch(told)
      await watch.ready
    }
    const expectTold = (...texts: readonly string[]): Promise<void> =>
      vi.waitFor(() => expect(told.texts()).toEqual(texts), PATIENCE)

    beforeEach(async () => {
      told = new ToldConfigurations()
      world = await makeWorld()
    })
    afterEach(async () => {
      await watch?.close()
      watch = undefined
      await world.close()
    })

    it('has told what was known when it is ready', async () => {
      await world.say(first)
      await open()
      expect(told.texts()).toEqual(['wan-a 2001:db8:a::/64'])
    })

    it('is ready, too, when nothing is known', async () => {
      await open()
      expect(told.texts()).toEqual([])
    })

    it('tells what comes later, with its lifetimes', async () => {
      await open()
      await world.say(first)
      await expectTold('wan-a 2001:db8:a::/64')
      const [valid = 0, preferred = 0] = told.lifetimes()
      expect(valid).toBeGreaterThan(580)
      expect(valid).toBeLessThanOrEqual(600)
      expect(preferred).toBeGreaterThan(280)
      expect(preferred).toBeLessThanOrEqual(300)
    })

    it('keeps the interfaces apart', async () => {
      await open()
      await world.say(first)
      await world.say({ ...first, interface: 'wan-b', prefix: '2001:db8:b::/64' })
      await expectTold('wan-a 2001:db8:a::/64', 'wan-b 2001:db8:b::/64')
    })

    it('tells another one in place of the first', async () => {
      await world.say(first)
      await open()
      await world.say({ ...first, prefix: '2001:db8:c::/64' })
      await expectTold('wan-a 2001:db8:c::/64')
    })

    it('withdraws what is not known any more', async () => {
      await world.say(first)
      await open()
      await world.unsay('wan-a')
      await expectTold()
    })

    it('tells what is forgotten and known again', async () => {
      await world.say(first)
      await open()
      for (let n = 0; n < 3; n++) {
        await world.unsay('wan-a')
        await world.say({ ...first, prefix: `2001:db8:${n}::/64` })
      }
      await expectTold('wan-a 2001:db8:2::/64')
    })

    it('tells nothing after it is closed', async () => {
      await open()
      await watch?.close()
      const before = told.calls
      await world.say(first)
      await world.unsay('wan-a')
      expect(told.calls).toBe(before)
    })
  })
}

const first: SaidPrefix = {
  interface: 'wan-a',
  prefix: '2001:db8:a::/64',
  validSeconds: 600,
  preferredSeconds: 300
}

/** What a source told and did not withdraw. */
export class ToldConfigurations implements ProvisioningListener {
  readonly byKey: Map<string, LearntConfiguration> = new Map()
  readonly refusals: string[] = []
  calls = 0

  learnt(key: string, configuration: LearntConfiguration): void {
    this.calls++
    this.byKey.set(key, configuration)
  }

  withdrawn(key: string): void {
    this.calls++
    this.byKey.delete(key)
  }

  refused(place: string, reason: string): void {
    this.refusals.push(`${place}: ${reason}`)
  }

  /** `wan-a 2001:db8:a::/64 203.0.113.5 dns 192.0.2.53 via 192.0.2.1 in isp.example`, in a fixed order. */
  texts(): string[] {
    return [...this.byKey.values()].map(textOf).toSorted()
  }

  /** Valid and preferred seconds of the first prefix or address. */
  lifetimes(): number[] {
    const [configuration] = this.byKey.values()
    const [fact] = [...(configuration?.prefixes ?? []), ...(configuration?.addresses ?? [])]
    return fact === undefined ? [] : [fact.valid, fact.preferred].map(secondsOf)
  }
}

function secondsOf(lifetime: FactLifetime): number {
  return lifetime === 'unlimited' ? Number.POSITIVE_INFINITY : inSeconds(lifetime)
}

function textOf(configuration: LearntConfiguration): string {
  const { interface: via, domain, prefixes, addresses, resolvers, gateways, searchDomains } = configuration
  return [
    ...(domain === undefined ? [] : [domain]),
    ...(via === undefined ? [] : [via]),
    ...prefixes.map(({ prefix }) => formatIpPrefix(prefix)),
    ...addresses.map(({ address }) => formatIpAddress(address)),
    ...resolvers.map(({ address }) => `dns ${formatIpAddress(address)}`),
    ...gateways.map(({ address }) => `via ${formatIpAddress(address)}`),
    ...searchDomains.map(({ name }) => `in ${name}`)
  ].join(' ')
}
