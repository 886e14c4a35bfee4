import { formatIpAddress } from '@breakwater/core'
import type { DefaultRouter, DefaultRouters } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { address } from '../builders/address.ts'

/**
 * A host on two links, without a default router at first. `wan-a` is 192.0.2.0/24 and 2001:db8:a::/64, `wan-b` is
 * 198.51.100.0/24 and 2001:db8:b::/64.
 */
export interface DefaultRoutersWorld {
  readonly routers: DefaultRouters
  /** The lower metric is preferred. */
  add(router: DefaultRouter, metric: number): void
  /** The same in a routing table of the provider's own, as a site with several providers has them. */
  addApart(router: DefaultRouter): void
  remove(router: DefaultRouter): void
  close(): void
}

/** The suite that every `DefaultRouters` must pass. */
export function defaultRoutersContract(name: string, makeWorld: () => DefaultRoutersWorld): void {
  describe(`default routers contract: ${name}`, () => {
    let world: DefaultRoutersWorld
    beforeEach(() => {
      world = makeWorld()
    })
    afterEach(() => world.close())

    it('says that there is none', async () => {
      expect(await found(world)).toEqual([])
    })

    it('finds those of both families, with their interfaces', async () => {
      world.add(router('wan-a', '192.0.2.1'), 1)
      world.add(router('wan-a', 'fe80::1'), 1)
      expect(await found(world)).toEqual(['wan-a 192.0.2.1', 'wan-a fe80::1'])
    })

    it('tells the same address on two links apart', async () => {
      world.add(router('wan-a', 'fe80::1'), 1)
      world.add(router('wan-b', 'fe80::1'), 2)
      expect(await found(world)).toEqual(['wan-a fe80::1', 'wan-b fe80::1'])
    })

    it('finds those of every provider, whatever table their routes are in', async () => {
      world.add(router('wan-a', '192.0.2.1'), 1)
      world.addApart(router('wan-b', '198.51.100.1'))
      expect(await found(world)).toEqual(['wan-a 192.0.2.1', 'wan-b 198.51.100.1'])
    })

    it('names the preferred one of a link first', async () => {
      world.add(router('wan-a', '192.0.2.9'), 20)
      world.add(router('wan-a', '192.0.2.1'), 10)
      const all = await world.routers.read()
      expect(all.map((each) => formatIpAddress(each.address))).toEqual(['192.0.2.1', '192.0.2.9'])
    })

    it('forgets one that has gone', async () => {
      world.add(router('wan-a', '192.0.2.1'), 1)
      world.add(router('wan-b', '198.51.100.1'), 2)
      world.remove(router('wan-a', '192.0.2.1'))
      expect(await found(world)).toEqual(['wan-b 198.51.100.1'])
    })
  })
}

function router(via: string, text: string): DefaultRouter {
  return { interface: via, address: address(text) }
}

/** `wan-a 192.0.2.1`, in a fixed order. */
async function found(world: DefaultRoutersWorld): Promise<string[]> {
  const all = await world.routers.read()
  return all.map((each) => `${each.interface} ${formatIpAddress(each.address)}`).toSorted()
}
