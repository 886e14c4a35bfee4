import { Minutes, Seconds, after } from '@breakwater/core'
import { prefix } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ISP_A, ISP_B, TwoProviders, site, targetOf } from '../two-providers.ts'
import { without } from '../site/site-variants.ts'

let world: TwoProviders

beforeEach(async () => {
  world = new TwoProviders()
  await world.start()
})
afterEach(() => world.close())

/** `asks isp-a` */
function decided(name: string): string[] {
  return world.client.why(name).map(({ decision }) => decision)
}

describe('a client that is asked why', () => {
  it('names whom it asked for a protection and by which rule, and what became of it', async () => {
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(2))
    expect(decided('web')).toEqual(['asks isp-a', 'asking', 'protected'])
    const [placed, , done] = world.client.why('web')
    expect(placed).toMatchObject({
      because: 'isp-a assigned it: only its own servers are asked (RFC 9284 §5.1)',
      inputs: { cause: 'it was asked for', 'isp-a': '198.51.100.7/32' }
    })
    expect(done?.inputs['isp-a']).toMatch(/^in-force: the server protects it \(mid \d+\)$/)
    expect(done?.because).toBe('nothing of it is missing')
  })

  it('names the change of the site that a protection was lost by', async () => {
    world.protect('web', targetOf('100.64.7.9/32'))
    await world.advance(Seconds(2))
    world.client.updateSite({ site: without(site, ISP_B) })
    expect(decided('web').slice(-2)).toEqual(['refused', 'refused, with an alarm'])
    expect(world.client.why('web').at(-2)).toMatchObject({
      because: '100.64.7.9/32 belongs to no domain of the site, so no server may be asked (RFC 9284 §5.1)',
      inputs: { cause: 'the site has changed' }
    })
    expect(decided('isp-b')).toContain('is let go')
  })

  it('says once what became of a consent that has ended', async () => {
    const from = world.clock.wallClock()
    const of = { name: 'b-helps-a', of: ISP_A, to: ISP_B, prefixes: [prefix('198.51.100.0/28')] }
    const consent = { ...of, givenBy: 'A. Admin', from, until: after(from, Minutes(1)) }
    world.client.updateSite({ site: { ...site, consents: [consent] } })
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(55))
    const before = world.client.why('web').length
    await world.advance(Minutes(1))
    expect(decided('web').slice(before)).toEqual(['asks isp-a', 'protected'])
  })

  it('tells of a server why there is no session, and of the path that failed', async () => {
    world.siteHost.link('wan-b').cut()
    world.protect('web', targetOf('100.64.7.9/32'))
    await world.stopServer('isp-b')
    await world.advance(Seconds(600))
    expect(decided('isp-b').slice(0, 2)).toEqual(['session connecting', 'session established'])
    expect(decided('isp-b').length).toBeGreaterThan(2)
    const path = world.client.why('isp-b').find(({ decision }) => decision === 'session established')?.inputs[
      'path'
    ]
    expect(path).toMatch(/^udp wan-b 100\.64\.7\.1 to 192\.0\.2\.129:4646$/)
    expect(decided('192.0.2.129')).toEqual(expect.arrayContaining(['session established']))
  })

  it('says nothing of what it has never heard of', () => {
    expect(decided('p-nobody')).toEqual([])
  })
})
