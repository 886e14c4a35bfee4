import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { untilReady } from './agents/agent-process.ts'
import { TwoLinkAgents } from './agents/two-link-agents.ts'
import { obstacleToNamespaces } from './backends/netns/namespace.ts'
import type { TwoLinkSite, Upstream } from './backends/netns/two-link-site.ts'

/*
 * A CPE with several addresses on each link, and a client that was told of none of them: the server has to see the one that
 * RFC 6724 selects, and no other. It is neither the first nor the last that the system names.
 */

const obstacle = await obstacleToNamespaces()
if (obstacle !== undefined) console.warn(`lab/source-selection.test.ts is skipped: ${obstacle}`)

/** Towards isp1: rule 3 (deprecated) before rule 8 (longest matching prefix); isp2's address matches best, and is no candidate. */
const isp1: Upstream = {
  name: 'isp1',
  device: 'wan1',
  prefix: '2001:db8:a::/48',
  edge: '2001:db8:a:1::1',
  server: '2001:db8:a:ff00::1',
  addresses: [
    '2001:db8:a:1::7/64',
    '2001:db8:a:ff01::7/64 preferred_lft 0',
    '2001:db8:a:f000::7/64',
    '2001:db8:b:9::7/64',
    '2001:db8:a:2::7/64'
  ]
}

/** Towards isp2: rule 7 (temporary) before rule 8. The kernel makes a temporary address beside the one that manages such. */
const isp2: Upstream = {
  name: 'isp2',
  device: 'wan2',
  prefix: '2001:db8:b::/48',
  edge: '2001:db8:b:1::1',
  server: '2001:db8:b:ff00::1',
  addresses: [
    '2001:db8:b:1::7/64',
    '2001:db8:b:3::7/64 mngtmpaddr',
    '2001:db8:b:f000::7/64',
    '2001:db8:b:2::7/64'
  ]
}

describe.skipIf(obstacle !== undefined)('a client on a CPE with many addresses', { timeout: 120_000 }, () => {
  let site: TwoLinkSite
  let agents: TwoLinkAgents

  beforeAll(async () => {
    agents = await TwoLinkAgents.build('sources', [isp1, isp2])
    site = agents.site
  }, 120_000)
  afterAll(() => agents?.destroy())

  it('is seen by each provider at the address that RFC 6724 selects of those which that provider assigned [RFC9284-5.1-M02]', async () => {
    const command = agents.clientCommand([isp1, isp2], ({ device }) => ({ interfaces: [device] }))
    await untilReady('client', site.cpe.start(command))
    await agents.untilSessionsStand()
    expect(await site.sourcesSeen('isp1')).toEqual(['2001:db8:a:f000::7'])
    const temporary = await site.addresses('wan2', 'temporary')
    expect(temporary).toHaveLength(1)
    expect(await site.sourcesSeen('isp2')).toEqual(temporary)
    expect([await site.dropped('isp1'), await site.dropped('isp2')]).toEqual([0, 0])
  })
})
