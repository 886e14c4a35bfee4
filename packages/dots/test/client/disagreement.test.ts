import { Seconds } from '@breakwater/core'
import { prefix } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TwoProviders, targetOf } from './two-providers.ts'

let world: TwoProviders

beforeEach(() => {
  world = new TwoProviders()
})
afterEach(() => world.close())

/** isp-b knows nothing of the site's own prefix. */
async function start(): Promise<void> {
  await world.startServer('isp-a')
  const prefixes = [prefix('100.64.7.0/24')]
  await world.startServer('isp-b', {
    domains: [{ name: 'site', dnsNames: ['site.isp-b.example'], pskIdentities: [], prefixes }]
  })
  world.startClient()
  await world.advance(Seconds(1))
}

function status(id: string): ReturnType<TwoProviders['protect']> | undefined {
  return world.client.status().protections.find((each) => each.id === id)
}

describe('providers that disagree', () => {
  it('are named, each with what it says, where one protects what the other refuses', async () => {
    await start()
    world.protect('own', targetOf('203.0.113.5/32'))
    await world.advance(Seconds(2))
    expect(status('own')).toMatchObject({ state: 'partly-protected', alarm: true })
    const [first, second] = status('own')?.disagreement ?? []
    expect(first).toEqual({ server: 'isp-a', domain: 'isp-a', says: 'the server protects it' })
    expect(second).toMatchObject({ server: 'isp-b', domain: 'isp-b' })
    expect(second?.says).toMatch(/4\.\d\d/)
    expect(world.client.why('own').at(-1)?.inputs['disagreement']).toContain('isp-b says: 4.')
  })

  it('do not where each protects its own, nor while one has not answered', async () => {
    await start()
    world.siteHost.link('wan-b').cut()
    world.protect('own', targetOf('203.0.113.5/32'))
    await world.advance(Seconds(2))
    expect(status('own')?.disagreement).toEqual([])
    world.siteHost.link('wan-b').mend()
    world.protect('both', targetOf('198.51.100.5/32', '100.64.7.5/32'))
    await world.advance(Seconds(5))
    expect(status('both')).toMatchObject({ state: 'protected', disagreement: [] })
  })
})
