import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import { dots, untilReady } from './agents/agent-process.ts'
import { TwoLinkAgents } from './agents/two-link-agents.ts'
import { Namespace, obstacleToNamespaces } from './backends/netns/namespace.ts'
import type { TwoLinkSite, Upstream } from './backends/netns/two-link-site.ts'

/*
 *                       wan1 ── isp1 (BCP 38) ── DOTS server of isp1
 *   DOTS client ── CPE
 *                       wan2 ── isp2 (BCP 38) ── DOTS server of isp2
 *
 * As in site-exits.test.ts, over IPv6 and with what it is for: sessions over DTLS of a client that has an internal address only.
 */

const obstacle = await obstacleToNamespaces()
if (obstacle !== undefined) console.warn(`lab/site-exits-dots.test.ts is skipped: ${obstacle}`)

const internal = { client: 'fd00:9::2', cpe: 'fd00:9::1' }

function upstream(name: string, device: string, network: string): Upstream & { readonly own: string } {
  const own = `${network}:1::7`
  const server = `${network}:ff00::1`
  return {
    name,
    device,
    prefix: `${network}::/48`,
    edge: `${network}:1::1`,
    server,
    addresses: [`${own}/64`],
    own
  }
}
const isp1 = upstream('isp1', 'wan1', '2001:db8:a')
const isp2 = upstream('isp2', 'wan2', '2001:db8:b')

const exits = {
  domains: [isp1, isp2].map(({ name, prefix, server }) => {
    return { name, prefixes: [prefix], servers: [{ name: `dots.${name}.example`, addresses: [server] }] }
  }),
  routers: [
    {
      name: 'cpe',
      exits: [isp1, isp2].map(({ name, device, edge, own }) => {
        return { domain: name, interface: device, gateways: [edge], sources: [own] }
      }),
      inside: ['lan']
    }
  ]
}

describe.skipIf(obstacle !== undefined)('a DOTS client behind a CPE of two providers, over IPv6', () => {
  let site: TwoLinkSite
  let home: Namespace
  let agents: TwoLinkAgents

  beforeAll(async () => {
    agents = await TwoLinkAgents.build('exits', [isp1, isp2])
    site = agents.site
    home = await Namespace.create(`${site.cpe.name}-home`)
    const { cpe } = site
    // A CPE as it comes: by destination only.
    for (const number of ['101', '102']) await cpe.exec(['ip', '-6', 'rule', 'del', 'pref', number])
    await cpe.ip([
      `link add name lan type veth peer name lan netns ${home.name}`,
      'link set dev lan up',
      `addr add ${internal.cpe}/64 dev lan`,
      `route add default via ${isp1.edge} dev wan1`
    ])
    await home.ip([
      'link set dev lan up',
      `addr add ${internal.client}/64 dev lan`,
      `route add default via ${internal.cpe} dev lan`
    ])
  }, 120_000)
  afterAll(async () => {
    await home?.destroy()
    await agents?.destroy()
  })

  const startClient = () => untilReady('client', home.start(agents.clientCommand([isp1, isp2], () => ({}))))

  const seen = async () => [await site.sourcesSeen('isp1'), await site.sourcesSeen('isp2')]

  it('reaches neither server before: the first provider drops its source', async () => {
    const client = await startClient()
    await vi.waitFor(async () => expect(await site.dropped('isp1')).toBeGreaterThan(0), { timeout: 30_000 })
    await client.stop()
    expect(await seen()).toEqual([[], []])
  }, 60_000)

  it('has its sessions forwarded by each provider from the address of that provider after --apply [RFC9284-5.2-M02]', async () => {
    const file = join(agents.folder, 'site.yaml')
    writeFileSync(file, JSON.stringify(exits))
    await site.cpe.exec([...dots, 'site', 'exits', file, '--apply'])
    const before = [await site.dropped('isp1'), await site.dropped('isp2')]
    await startClient()
    await agents.untilSessionsStand()
    const asked = await agents.control.protect({ prefixes: ['2001:db8:a:5::9/128', '2001:db8:b:5::9/128'] })
    if (!asked.accepted) throw new Error('the client refuses')
    await vi.waitFor(
      async () => expect((await agents.control.protection(asked.protection.id)).state).toBe('protected'),
      { timeout: 30_000 }
    )
    expect(await seen()).toEqual([[isp1.own], [isp2.own]])
    expect([await site.dropped('isp1'), await site.dropped('isp2')]).toEqual(before)
  }, 120_000)
})
