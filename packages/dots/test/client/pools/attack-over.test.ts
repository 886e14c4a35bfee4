import { Seconds } from '@breakwater/core'
import { expect, it } from 'vitest'
import type { Site } from '../../../src/domain/site.ts'
import { domain, server, target } from '../../multihoming/sites.ts'
import { PlayedSite } from '../site/played-site.ts'

const EAST = { ...server('isp-a', '192.0.2.1', 'isp-a/east'), transports: ['udp'] as const }
const WEST = { ...server('isp-a', '192.0.2.2', 'isp-a/west'), transports: ['udp'] as const }
const site: Site = {
  domains: [
    {
      ...domain('isp-a', { prefixes: ['198.51.100.0/28'], sources: ['192.0.2.101'], interfaces: ['wan-1'] }),
      servers: [EAST, WEST],
      isPool: true
    },
    domain('isp-b', {
      prefixes: ['198.51.100.16/28'],
      sources: ['192.0.2.102'],
      interfaces: ['wan-2'],
      servers: [{ ...server('isp-b', '192.0.2.3'), transports: ['udp'] }]
    })
  ],
  providerIndependent: []
}

it('a part of a protection whose attack is over is not asked for anew, when another server of the pool is chosen', () => {
  const world = new PlayedSite(site)
  world.pass(Seconds(5))
  world.calm.add('isp-a/east')
  world.protect('web', target('198.51.100.7/32', '198.51.100.23/32'))
  world.pass(Seconds(5))
  expect(world.mitigated()).toEqual(['isp-b: 198.51.100.23/32'])
  world.told.length = 0
  world.lose('isp-a/east')
  world.pass(Seconds(5))
  const [part] = world.client.explain(target('198.51.100.7/32')).parts
  expect(part?.asked.map((each) => each.server)).toEqual(['isp-a/west'])
  expect(world.told.filter(({ method }) => method === 'PUT')).toEqual([])
  expect(world.state('web')).toBe('protected')
})
