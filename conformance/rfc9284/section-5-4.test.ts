import { Minutes, Seconds } from '@breakwater/core'
import type { Site } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ISP_A, ISP_B, TwoProviders, site, targetOf } from '../../packages/dots/test/client/two-providers.ts'

/* RFC 9284 §5.4: the two attachments are one provider's, each with a DOTS server of its own. */

let world: TwoProviders

beforeEach(() => {
  world = new TwoProviders()
})

afterEach(() => world.close())

function provided(attachments: 'one' | 'all'): Site {
  return { ...site, providers: [{ name: 'isp', domains: [ISP_A, ISP_B], attachments }] }
}

/** `PUT isp-a`, each once, in order. */
function asked(): string[] {
  return [...new Set(world.mitigationRequests().filter((text) => text.startsWith('PUT')))]
}

describe('RFC 9284 §5.4', () => {
  it('all attachments are asked where the operator says so [RFC9284-5.4-O01]', async () => {
    await world.start({ site: provided('all') })
    world.protect('own', targetOf('203.0.113.7/32'))
    await world.advance(Seconds(5))
    expect(asked()).toEqual(['PUT isp-a', 'PUT isp-b'])
  })

  it('one attachment is asked where the operator says so [RFC9284-5.4-O01]', async () => {
    await world.start({ site: provided('one') })
    world.protect('own', targetOf('203.0.113.7/32'))
    await world.advance(Minutes(10))
    expect(asked()).toEqual(['PUT isp-a'])
    expect(world.state('own')).toBe('protected')
  })

  it('the other one is asked when the session over the first is lost, and the first again when it was good for two minutes [RFC9284-5.4-O01]', async () => {
    await world.start({ site: provided('one') })
    world.protect('own', targetOf('203.0.113.7/32'))
    await world.advance(Seconds(5))
    await world.stopServer('isp-a')
    await world.advance(Seconds(5))
    expect(asked()).toEqual(['PUT isp-a', 'PUT isp-b'])
    expect(world.state('own')).toBe('protected')
    await world.startServer('isp-a')
    await world.advance(Minutes(1))
    expect(asked()).toEqual(['PUT isp-a', 'PUT isp-b'])
    expect(world.mitigated()).toContain('isp-b: 203.0.113.7/32')
    await world.advance(Minutes(9))
    expect(world.mitigated()).toEqual(['isp-a: 203.0.113.7/32'])
    expect(world.state('own')).toBe('protected')
  })
})
