import type { ChildProcess } from 'node:child_process'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { untilReady } from './agents/agent-process.ts'
import { TwoLinkAgents } from './agents/two-link-agents.ts'
import { obstacleToNamespaces } from './backends/netns/namespace.ts'
import type { TwoLinkSite, Upstream } from './backends/netns/two-link-site.ts'

/*
 * Two providers have their DOTS servers at one anycast address. RFC 9284 §5.2: that is NOT RECOMMENDED, because the network
 * decides whose server a request meets.
 */

const obstacle = await obstacleToNamespaces()
if (obstacle !== undefined) console.warn(`lab/shared-server-address.test.ts is skipped: ${obstacle}`)

const anycast = '2001:db8:cafe::1'

function upstream(name: string, device: string, network: string): Upstream {
  const addresses = [`${network}:1::7/64`]
  return { name, device, prefix: `${network}::/48`, edge: `${network}:1::1`, server: anycast, addresses }
}
const isp1 = upstream('isp1', 'wan1', '2001:db8:a')
const isp2 = upstream('isp2', 'wan2', '2001:db8:b')

/** What a process wrote to its log by its end. */
function allThatSays(child: ChildProcess): Promise<string> {
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return new Promise((resolve) => child.once('close', () => resolve(said)))
}

describe.skipIf(obstacle !== undefined)('one address for the DOTS servers of two providers', () => {
  let site: TwoLinkSite
  let agents: TwoLinkAgents

  beforeAll(async () => {
    agents = await TwoLinkAgents.build('anycast', [isp1, isp2])
    site = agents.site
  }, 120_000)
  afterAll(() => agents?.destroy())

  it('is refused by a client that nothing binds to links: it does not start, and asks nobody [RFC9284-5.2-S02]', async () => {
    const child = site.cpe.start(agents.clientCommand([isp1, isp2], () => ({})))
    const said = allThatSays(child)
    const agent = await untilReady('client', child).catch(() => undefined)
    await agent?.stop()
    expect(agent).toBeUndefined()
    expect(child.exitCode).toBe(2)
    expect(await said).toContain(`of two domains share ${anycast} port 4646`)
    expect([await site.sourcesSeen('isp1'), await site.sourcesSeen('isp2')]).toEqual([[], []])
  }, 60_000)

  it('is taken where the operator answers for it, with a warning [RFC9284-5.2-S02]', async () => {
    const allowed = { allowSharedServerAddresses: true }
    const child = site.cpe.start(agents.clientCommand([isp1, isp2], () => ({}), allowed))
    const said = allThatSays(child)
    const agent = await untilReady('client', child)
    await agent.stop()
    const warnings = (await said).split('\n').filter((line) => line.includes('"event":"config.warning"'))
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('"path":"site.allowSharedServerAddresses"')
  }, 60_000)

  it('does no harm where each session is bound to the link of its own provider', async () => {
    const command = agents.clientCommand([isp1, isp2], ({ device }) => ({ interfaces: [device] }))
    await untilReady('client', site.cpe.start(command))
    await agents.untilSessionsStand()
    expect(await site.sourcesSeen('isp1')).toEqual(['2001:db8:a:1::7'])
    expect(await site.sourcesSeen('isp2')).toEqual(['2001:db8:b:1::7'])
  }, 120_000)
})
