import { formatIpAddress } from '@breakwater/core'
import { nextHopsContract } from '@breakwater/testing'
import type { NextHopsWorld } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { linuxNextHops, nextHopOfIpRoute } from '../../src/next-hops/linux-next-hops.ts'
import { TwoLinkNamespace, obstacleOf } from '../two-link-namespace.ts'

/** Each source has a routing table of its own, as a site with several providers has them. */
function linuxWorld(): NextHopsWorld {
  const namespace = new TwoLinkNamespace('hops')
  const ip = (...words: readonly string[]): string => namespace.ip(...words)
  ip('addr', 'add', '192.0.2.2/24', 'dev', 'wan-a')
  ip('addr', 'add', '198.51.100.2/24', 'dev', 'wan-a')
  ip('addr', 'add', '2001:db8:a::2/64', 'dev', 'wan-a', 'nodad')
  const tables = new Map<string, string>()
  return {
    nextHops: linuxNextHops({ ip: ['ip', '-n', namespace.name] }),
    route: (source, { address, interface: via }) => {
      const family = `-${address.family}`
      const table = tables.get(source) ?? String(100 + tables.size)
      if (!tables.has(source)) ip(family, 'rule', 'add', 'from', source, 'lookup', table)
      tables.set(source, table)
      const router = formatIpAddress(address)
      ip(family, 'route', 'replace', 'default', 'via', router, 'dev', via, 'table', table)
      // As `dots site exits` has it: what is on the link stays there.
      const link = source.includes(':') ? '2001:db8:a::/64' : `${source.replace(/\.\d+$/, '.0')}/24`
      ip(family, 'route', 'replace', link, 'dev', via, 'table', table)
    },
    close: () => namespace.close()
  }
}

const obstacle = obstacleOf()
if (obstacle === undefined) nextHopsContract('the routes of a Linux network namespace', linuxWorld)
else it.skip(`next hops of a Linux network namespace: ${obstacle}`, () => undefined)

describe('what ip says of a route', () => {
  it.each([
    ['an address of the same family', '[{"gateway":"192.0.2.1","dev":"wan-a"}]', '192.0.2.1 on wan-a'],
    [
      'one of the other family',
      '[{"via":{"family":"inet6","host":"fe80::9"},"dev":"wan-b"}]',
      'fe80::9 on wan-b'
    ]
  ])('names the router by %s', (_what, json, text) => {
    const hop = nextHopOfIpRoute(json)
    expect(hop && `${formatIpAddress(hop.address)} on ${hop.interface}`).toBe(text)
  })

  it.each([
    '[]',
    '[{"dev":"wan-a"}]',
    '[{"gateway":"192.0.2.1"}]',
    '[{"gateway":"x","dev":"a"}]',
    '[7]',
    '{}'
  ])('has no router in it when it is %s', (json) => expect(nextHopOfIpRoute(json)).toBeUndefined())

  it("is nobody's knowledge where there is no such command", async () => {
    const question = {
      destination: { family: 4, a: 1, b: 0, c: 0, d: 0 },
      source: { family: 4, a: 2, b: 0, c: 0, d: 0 }
    } as const
    const hops = linuxNextHops({ ip: ['/no/such/command'] })
    expect(await hops.of({ ...question, interface: undefined })).toBeUndefined()
  })
})
