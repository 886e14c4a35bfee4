import { Minutes, Seconds } from '@breakwater/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TwoProviders, site, targetOf } from '../../packages/dots/test/client/two-providers.ts'

/*
 * RFC 9284 §5.1, Figure 5: a client on the CPE of a site with two provisioning domains, S1 (isp-a) and S2 (isp-b). What
 * is asserted is read from the wire.
 */

let world: TwoProviders

beforeEach(() => {
  world = new TwoProviders()
})

afterEach(() => world.close())

/** Servers with which the client has a session. */
function established(): string[] {
  const sessions = world.client.status().sessions
  return sessions.filter((each) => each.state === 'established').map((each) => each.server)
}

/** Servers that the client sent a PUT about a mitigation to, each once. */
function asked(): string[] {
  const puts = world.sent.filter((request) => request.method === 'PUT' && request.mitigationId !== undefined)
  return [...new Set(puts.map((put) => world.ispAt(put)))].toSorted()
}

describe('RFC 9284 §5.1', () => {
  it('sessions are established with each of the servers before any attack [RFC9284-5.1-M03]', async () => {
    await world.start()
    expect(established()).toEqual(['isp-a', 'isp-b'])
    await world.advance(Minutes(60))
    expect(established()).toEqual(['isp-a', 'isp-b'])
  })

  it('a session that was lost is established again, and the other is not touched [RFC9284-5.1-M03]', async () => {
    await world.start()
    await world.advance(Minutes(2))
    await world.stopServer('isp-b')
    await world.advance(Seconds(2))
    expect(established()).toEqual(['isp-a'])
    await world.startServer('isp-b')
    await world.clock.runUntil(() => established().length === 2, Minutes(6))
    expect(established()).toEqual(['isp-a', 'isp-b'])
    expect(world.clientEndpointConnects('isp-a')).toHaveLength(1)
  })

  it("each server sees the credential of its own domain, and not the other's [RFC9284-5.1-M04]", async () => {
    const seen: string[] = []
    for (const isp of ['isp-a', 'isp-b'] as const)
      await world.startServer(isp, {
        onEvent: (event) => {
          if (event.kind === 'session-established') seen.push(`${isp}: ${event.identity}`)
        }
      })
    world.startClient()
    await world.advance(Seconds(1))
    expect(seen.toSorted()).toEqual(['isp-a: dns:site.isp-a.example', 'isp-b: dns:site.isp-b.example'])
  })

  it('a domain without a credential of its own does not borrow another [RFC9284-5.1-M04]', async () => {
    const [a] = site.domains
    expect(() =>
      world.startClient({ credentials: new Map([[a!.name, world.credentialsOf('isp-a')]]) })
    ).toThrow(/isp-b has no credentials|cannot run/)
  })

  it.each([
    ['198.51.100.7/32', 'isp-a'],
    ['100.64.7.7/32', 'isp-b'],
    ['198.51.100.0/24', 'isp-a'],
    ['100.64.7.128/25', 'isp-b']
  ])('%s is asked of the server whose network assigned it: %s [RFC9284-5.1-M05]', async (prefix, owner) => {
    await world.start()
    world.protect('target', targetOf(prefix))
    await world.advance(Seconds(5))
    expect(world.state('target')).toBe('protected')
    expect(asked()).toEqual([owner])
    expect(world.wrongServerRequests()).toEqual([])
  })

  it('while its server is out of reach, no other server hears of the target [RFC9284-5.1-M06]', async () => {
    await world.startServer('isp-b')
    world.startClient()
    await world.advance(Seconds(1))
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Minutes(30))
    expect(established()).toEqual(['isp-b'])
    expect(asked()).toEqual([])
    expect(world.state('web')).toBe('waiting')
  })

  it('a target whose server refuses it is not tried at another [RFC9284-5.1-M06]', async () => {
    await world.startServer('isp-a', { domains: [] })
    await world.startServer('isp-b')
    world.startClient()
    await world.advance(Seconds(1))
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Minutes(30))
    expect(world.state('web')).toBe('refused')
    expect(asked()).toEqual(['isp-a'])
    expect(world.wrongServerRequests()).toEqual([])
  })

  it('a target that no domain assigned is asked of nobody [RFC9284-5.1-M06]', async () => {
    await world.start()
    world.protect('theirs', targetOf('8.8.8.8/32'))
    world.protect('mixed', targetOf('198.51.100.7/32', '8.8.8.8/32'))
    await world.advance(Minutes(30))
    expect(asked()).toEqual([])
  })

  it('an attack over all attachments is asked of all servers, at once [RFC9284-5.1-M07]', async () => {
    await world.start()
    world.protect('all', targetOf('198.51.100.7/32', '100.64.7.7/32'))
    await world.advance(Seconds(5))
    expect(asked()).toEqual(['isp-a', 'isp-b'])
    expect(world.wrongServerRequests()).toEqual([])
    const puts = world.sent.filter((request) => request.prefixes.length > 0)
    expect(new Set(puts.map((put) => put.at)).size).toBe(1)
  })

  it('each server is reached by the interface and source of its domain only [RFC9284-5.1-M08]', async () => {
    await world.start()
    world.protect('all', targetOf('198.51.100.7/32', '100.64.7.7/32'))
    world.siteHost.link('wan-a').cut()
    await world.advance(Minutes(30))
    world.siteHost.link('wan-a').mend()
    await world.advance(Minutes(10))
    const ways = world.sent.map((request) => `${world.ispAt(request)} ${request.interface} ${request.source}`)
    expect([...new Set(ways)].toSorted()).toEqual(['isp-a wan-a 198.51.100.1', 'isp-b wan-b 100.64.7.1'])
  })
})
