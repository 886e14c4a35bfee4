import { Instant, Minutes, Seconds, after } from '@breakwater/core'
import type { SocketAddress } from '@breakwater/core'
import { address } from '@breakwater/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { PathMtus } from '../../../src/client/paths/path-mtu.ts'
import { legalPaths } from '../../../src/multihoming/legal-path.ts'
import type { LegalPath } from '../../../src/multihoming/legal-path.ts'
import { domain, server } from '../../multihoming/sites.ts'
import { TwoGateways } from './two-gateways.ts'

const START = Instant(1_000_000)

/** A path of a domain whose links are configured to carry so much. */
function pathTo(remote: string, source: string, mtu?: number): LegalPath {
  const one = server('isp-a', remote)
  const options = { sources: [source], servers: [one] }
  const isp = domain('isp-a', options)
  const site = { domains: [mtu === undefined ? isp : { ...isp, mtu }], providerIndependent: [] }
  return legalPaths(site, one).paths[0]!
}

const four = pathTo('192.0.2.1', '198.51.100.1')
const six = pathTo('2001:db8:1::1', '2001:db8:2::1')
const wide = pathTo('2001:db8:1::1', '2001:db8:2::1', 1500)

/** What is known of a path after somebody said so much. */
function afterSaying(path: LegalPath, ...said: readonly number[]): number {
  const mtus = new PathMtus()
  for (const each of said) mtus.tooBig(path, each, START)
  return mtus.of(path, START).bytes
}

describe('what a path carries', () => {
  it('is what RFC 9132 §7.3 assumes, or the site plan says, where nobody says otherwise', () => {
    expect(new PathMtus().of(four, START)).toEqual({ bytes: 1280, source: 'assumed' })
    expect(new PathMtus().of(wide, START)).toEqual({ bytes: 1500, source: 'configured' })
    expect(new PathMtus().least([four, wide], START)).toBe(1280)
  })

  it('is lowered by what is said, and never raised', () => {
    expect(afterSaying(wide, 1400)).toBe(1400)
    expect(afterSaying(wide, 1400, 1450)).toBe(1400)
    expect(afterSaying(wide, 9000)).toBe(1500)
    expect(afterSaying(four, 1280)).toBe(1280)
  })

  it('is no less than 1280 bytes over IPv6 (a message that says less is discarded) and 576 over IPv4', () => {
    expect(afterSaying(wide, 1279)).toBe(1500)
    expect(afterSaying(six, 68)).toBe(1280)
    expect(afterSaying(four, 0)).toBe(576)
  })

  it('is another for every path', () => {
    const mtus = new PathMtus()
    mtus.tooBig(four, 600, START)
    expect(mtus.of(pathTo('192.0.2.2', '198.51.100.1'), START).bytes).toBe(1280)
  })

  it('comes back ten minutes after it was said last, and not in the five that RFC 8201 §4 forbids', () => {
    const mtus = new PathMtus()
    mtus.tooBig(wide, 1400, START)
    const again = after(START, Minutes(9))
    expect(mtus.of(wide, again)).toEqual({ bytes: 1400, source: 'said' })
    mtus.tooBig(wide, 1400, again)
    expect(mtus.of(wide, after(again, Minutes(9))).bytes).toBe(1400)
    expect(mtus.of(wide, after(again, Minutes(10)))).toEqual({ bytes: 1500, source: 'configured' })
  })

  it('bounds what is remembered', () => {
    const mtus = new PathMtus()
    for (let each = 0; each < 1100; each++)
      mtus.tooBig(pathTo(`192.0.${each >> 8}.${each & 255}`, '198.51.100.1'), 600, START)
    expect(mtus.of(pathTo('192.0.0.0', '198.51.100.1'), START).bytes).toBe(1280)
    expect(mtus.of(pathTo('192.0.4.70', '198.51.100.1'), START).bytes).toBe(600)
  })
})

describe('a request that a link does not carry', () => {
  let world: TwoGateways

  afterEach(async () => {
    expect(world.violations).toEqual([])
    await world.close()
  })

  /** Sixteen addresses of which no two are one prefix. */
  const scattered = Array.from({ length: 16 }, (_, each) => `198.51.100.${each * 2}/32`)

  it('is asked for in smaller parts as soon as its router says so, and what is in force stays as it is', async () => {
    world = new TwoGateways({ interfaces: ['wan-1'], saysIcmp: true })
    await world.start()
    world.site.link('wan-1').up.change({ longestDatagram: 370 })
    const since = world.clock.now()
    world.protect('web', ...scattered)
    await world.until(() => world.protection('web') === 'protected', 30)
    const asked = world.asked('wan-1', since)
    expect(asked[0]?.prefixes).toHaveLength(16)
    expect(asked.slice(1).map(({ prefixes }) => prefixes.length)).toEqual([15, 1])
    expect(world.client.paths().paths[0]).toMatchObject({ mtuBytes: 576, mtuSource: 'said' })
    await world.pass(Minutes(11))
    expect(world.client.paths().paths[0]).toMatchObject({ mtuBytes: 1280, mtuSource: 'assumed' })
    expect(world.asked('wan-1', since)).toHaveLength(asked.length)
  })

  it('is one in force no more: whoever forges such a message has nothing asked again', async () => {
    const local: SocketAddress[] = []
    world = new TwoGateways({ interfaces: ['wan-1'] })
    world.network.tap(({ from, path }) => {
      if (from === 'site') local.push(path.local)
    })
    await world.start()
    world.protect('web', ...scattered)
    await world.until(() => world.protection('web') === 'protected', 30)
    const since = world.clock.now()
    const remote = { address: address('192.0.2.1'), port: 4646 }
    world.site.hearIcmp({ kind: 'too-big', local: local.at(-1)!, remote, mtuBytes: 576 })
    await world.pass(Seconds(1))
    expect(world.client.paths().paths[0]).toMatchObject({ mtuBytes: 576, mtuSource: 'said' })
    world.protect('mail', '198.51.100.31/32')
    await world.until(() => world.protection('mail') === 'protected', 30)
    expect(world.asked('wan-1', since).map(({ prefixes }) => prefixes.length)).toEqual([1])
    expect(world.text()).toBe('established wan-1')
  })
})
