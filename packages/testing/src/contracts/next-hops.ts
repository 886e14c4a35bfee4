import { formatIpAddress } from '@breakwater/core'
import type { NextHop, NextHops } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { address } from '../builders/address.ts'

/**
 * A host on one link, `wan-a`, with addresses of two providers: 192.0.2.2/24 and 2001:db8:a::2/64 of one, 198.51.100.2/24 of the
 * other. There is no route beyond the link at first.
 */
export interface NextHopsWorld {
  readonly nextHops: NextHops
  /** What leaves from this source goes by this router (RFC 8043), in place of an earlier one. */
  route(source: string, router: NextHop): void
  close(): void
}

/** The suite that every `NextHops` must pass. */
export function nextHopsContract(name: string, makeWorld: () => NextHopsWorld): void {
  describe(`next hops contract: ${name}`, () => {
    let world: NextHopsWorld
    beforeEach(() => {
      world = makeWorld()
    })
    afterEach(() => world.close())

    /** `192.0.2.1 on wan-a` */
    const found = async (destination: string, source: string, via: string | undefined = 'wan-a') => {
      const question = { destination: address(destination), source: address(source), interface: via }
      const hop = await world.nextHops.of(question)
      return hop === undefined ? undefined : `${formatIpAddress(hop.address)} on ${hop.interface}`
    }

    it('tells two routers on one link apart by the source', async () => {
      world.route('192.0.2.2', router('192.0.2.1'))
      world.route('198.51.100.2', router('198.51.100.1'))
      expect(await found('203.0.113.9', '192.0.2.2')).toBe('192.0.2.1 on wan-a')
      expect(await found('203.0.113.9', '198.51.100.2')).toBe('198.51.100.1 on wan-a')
    })

    it('knows the interface where the path has none', async () => {
      world.route('192.0.2.2', router('192.0.2.1'))
      expect(await found('203.0.113.9', '192.0.2.2', undefined)).toBe('192.0.2.1 on wan-a')
    })

    it('names the router of IPv6 with its interface', async () => {
      world.route('2001:db8:a::2', router('fe80::1'))
      expect(await found('2001:db8:ffff::9', '2001:db8:a::2')).toBe('fe80::1 on wan-a')
    })

    it('has none to a destination on the link', async () => {
      world.route('192.0.2.2', router('192.0.2.1'))
      expect(await found('192.0.2.77', '192.0.2.2')).toBeUndefined()
    })

    it('has none where there is no way, or no such source', async () => {
      expect(await found('203.0.113.9', '192.0.2.2')).toBeUndefined()
      world.route('192.0.2.2', router('192.0.2.1'))
      expect(await found('203.0.113.9', '203.0.113.7')).toBeUndefined()
    })

    it('follows a change', async () => {
      world.route('192.0.2.2', router('192.0.2.1'))
      world.route('192.0.2.2', router('192.0.2.9'))
      expect(await found('203.0.113.9', '192.0.2.2')).toBe('192.0.2.9 on wan-a')
    })
  })
}

function router(text: string): NextHop {
  return { interface: 'wan-a', address: address(text) }
}
