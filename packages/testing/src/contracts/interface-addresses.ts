import { formatIpAddress } from '@breakwater/core'
import type { AddressWatch, Carriers, InterfaceAddresses, LocalAddress } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { address } from '../builders/address.ts'

/** A host on two links that are up, `wan-a` and `wan-b`, without an address that a router can carry at first. */
export interface InterfaceAddressesWorld {
  readonly addresses: InterfaceAddresses
  /** With its prefix length, its interface and whether it is deprecated; what else is said of it may be ignored. */
  add(local: LocalAddress): void
  remove(local: LocalAddress): void
  setUp(name: string, isUp: boolean): void
  /** What is attached to the other end is up, or is not. */
  setCarrier(name: string, isUp: boolean): void
  close(): void
}

/** The suite that every `InterfaceAddresses` must pass. */
export function interfaceAddressesContract(name: string, makeWorld: () => InterfaceAddressesWorld): void {
  describe(`interface addresses contract: ${name}`, () => {
    let world: InterfaceAddressesWorld
    beforeEach(() => {
      world = makeWorld()
    })
    afterEach(() => world.close())

    it('says that there is none', async () => {
      expect(await found(world)).toEqual([])
    })

    it('finds those of both families, with their interfaces and prefix lengths', async () => {
      world.add(local('wan-a', '192.0.2.2', 24))
      world.add(local('wan-a', '2001:db8:a::2', 64))
      world.add(local('wan-b', '2001:db8:b::2', 56))
      expect(await found(world)).toEqual([
        'wan-a 192.0.2.2/24 preferred',
        'wan-a 2001:db8:a::2/64 preferred',
        'wan-b 2001:db8:b::2/56 preferred'
      ])
    })

    it('tells a deprecated address from a preferred one', async () => {
      world.add({ ...local('wan-a', '2001:db8:a::2', 64), state: 'deprecated' })
      world.add(local('wan-a', '2001:db8:a::3', 64))
      expect(await found(world)).toEqual([
        'wan-a 2001:db8:a::2/64 deprecated',
        'wan-a 2001:db8:a::3/64 preferred'
      ])
    })

    it('forgets one that has gone', async () => {
      world.add(local('wan-a', '2001:db8:a::2', 64))
      world.add(local('wan-b', '2001:db8:b::2', 64))
      world.remove(local('wan-a', '2001:db8:a::2', 64))
      expect(await found(world)).toEqual(['wan-b 2001:db8:b::2/64 preferred'])
    })

    it('leaves out those of an interface that is down', async () => {
      world.add(local('wan-a', '192.0.2.2', 24))
      world.add(local('wan-b', '198.51.100.2', 24))
      world.setUp('wan-a', false)
      expect(await found(world)).toEqual(['wan-b 198.51.100.2/24 preferred'])
      world.setUp('wan-a', true)
      expect(await found(world)).toHaveLength(2)
    })

    describe('to one who watches', () => {
      let calls: number
      let watch: AddressWatch
      beforeEach(() => {
        calls = 0
        watch = world.addresses.watch(() => calls++)
      })
      afterEach(() => watch.close())
      /** Changes something, and waits until that was told. */
      const expectTold = async (change: () => void): Promise<void> => {
        const before = calls
        change()
        await vi.waitFor(() => expect(calls).toBeGreaterThan(before), { timeout: 10_000, interval: 5 })
      }

      it('tells that an address came, went or is deprecated, and that a link is down', async () => {
        const own = local('wan-a', '2001:db8:a::2', 64)
        await expectTold(() => world.add(own))
        await expectTold(() => world.remove(own))
        await expectTold(() => world.add({ ...own, state: 'deprecated' }))
        await expectTold(() => world.setUp('wan-b', false))
      })

      describe('of carriers', () => {
        let known: Carriers | undefined
        let carrierWatch: AddressWatch
        beforeEach(() => {
          known = undefined
          carrierWatch = world.addresses.watch(
            () => undefined,
            (carriers) => {
              known = carriers
            }
          )
        })
        afterEach(() => carrierWatch.close())
        const expectCarriers = (a: boolean, b: boolean): Promise<void> =>
          vi.waitFor(() => expect([known?.get('wan-a'), known?.get('wan-b')]).toEqual([a, b]), {
            timeout: 10_000,
            interval: 5
          })

        it('tells at the start who has one', async () => {
          await expectCarriers(true, true)
        })

        it('tells that one is lost, and that it is there again', async () => {
          await expectCarriers(true, true)
          world.setCarrier('wan-a', false)
          await expectCarriers(false, true)
          world.setCarrier('wan-a', true)
          await expectCarriers(true, true)
        })

        it('tells that an interface that is taken down has none', async () => {
          await expectCarriers(true, true)
          world.setUp('wan-b', false)
          await expectCarriers(true, false)
        })

        it('tells of no interface that is not there', async () => {
          await expectCarriers(true, true)
          expect(known?.has('wan-c')).toBe(false)
        })
      })

      it('tells nothing after the watch is closed', async () => {
        await watch.close()
        const before = calls
        world.add(local('wan-a', '2001:db8:a::2', 64))
        expect(calls).toBe(before)
      })
    })
  })
}

function local(via: string, text: string, prefixLength: number): LocalAddress {
  return { address: address(text), prefixLength, interface: { name: via } }
}

/** `wan-a 192.0.2.2/24 preferred`, in a fixed order, without those of the link and the host alone. */
async function found(world: InterfaceAddressesWorld): Promise<string[]> {
  const all = await world.addresses.read()
  return all
    .map(
      ({ interface: via, address: each, prefixLength, state = 'preferred' }) =>
        `${via.name} ${formatIpAddress(each)}/${prefixLength} ${state}`
    )
    .filter((text) => !/ fe80::| 127\.| ::1\//.test(text))
    .toSorted()
}
