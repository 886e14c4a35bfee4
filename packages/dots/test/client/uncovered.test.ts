import { Seconds } from '@breakwater/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ProtectionStatus } from '../../src/client/protection.ts'
import { withDomain } from './site/site-variants.ts'
import { ISP_B, TwoProviders, site, targetOf } from './two-providers.ts'

let world: TwoProviders

/** isp-b has no DOTS server. */
beforeEach(async () => {
  world = new TwoProviders()
  await world.startServer('isp-a')
  world.startClient({ site: withDomain(site, ISP_B, { servers: [] }) })
  await world.advance(Seconds(1))
})
afterEach(() => world.close())

async function after(prefix: string, require: 'all' | 'any'): Promise<ProtectionStatus | undefined> {
  world.protect('p', targetOf(prefix), { require })
  await world.advance(Seconds(5))
  return world.client.status().protections[0]
}

describe('RFC 9284 §4: a domain without a DOTS server', () => {
  it('is missing for what is the site’s own, with an alarm where all are required', async () => {
    const status = await after('203.0.113.7/32', 'all')
    expect(status).toMatchObject({ state: 'partly-protected', alarm: true })
    expect(status?.missing).toMatchObject([{ kind: 'uncovered', domain: 'isp-b', server: undefined }])
  })

  it('is shown without an alarm where one server is enough', async () => {
    const status = await after('203.0.113.7/32', 'any')
    expect(status).toMatchObject({ state: 'partly-protected', alarm: false })
    expect(status?.missing).toMatchObject([{ kind: 'uncovered', domain: 'isp-b' }])
  })

  it('leaves what it assigned without protection: nobody else is asked, whatever is required', async () => {
    const status = await after('100.64.7.7/32', 'any')
    expect(status).toMatchObject({ state: 'refused', alarm: true })
    expect(world.mitigationRequests().filter((each) => each.startsWith('PUT'))).toEqual([])
  })
})
