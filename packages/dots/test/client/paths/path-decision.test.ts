import { Seconds } from '@breakwater/core'
import type { SocketAddress } from '@breakwater/core'
import { address } from '@breakwater/testing'
import { afterEach, describe, expect, it } from 'vitest'
import type { DatedDecision } from '../../../src/client/decisions/client-decisions.ts'
import type { UsedPath } from '../../../src/client/paths/used-path.ts'
import { TwoGateways } from './two-gateways.ts'

const FIRST = 'udp wan-1 198.51.100.1 to 192.0.2.1:4646'
const SECOND = 'udp wan-2 198.51.100.17 to 192.0.2.1:4646'

let world: TwoGateways

afterEach(async () => {
  expect(world.violations).toEqual([])
  await world.close()
})

async function warm(): Promise<void> {
  world = new TwoGateways()
  await world.start({ warmStandby: 'apart' })
  await world.until(() => world.session().standBy !== undefined, 65)
  await world.pass(Seconds(35))
}

/** What was decided about paths. */
function decided(name: string): DatedDecision[] {
  return world.client.why(name).filter(({ decision }) => decision.includes('path'))
}

describe('a client that is asked why it changed its path', () => {
  it('names what was missing over the first, and what it knew of the second', async () => {
    await warm()
    world.site.link('wan-1').cut()
    await world.until(() => world.text().startsWith('established wan-2'), 180)
    const [asked, changed] = decided('dots1')
    expect(asked).toMatchObject({
      decision: 'asks by a second path, too',
      because: 'an answer by the first one is missing'
    })
    expect(changed).toMatchObject({
      decision: 'changes over to another path',
      because: 'the first path is down, and the second one has answered since'
    })
    expect(changed?.inputs[FIRST]).toMatch(/^down, a request got no answer, 3 missing in \d+\.\d s, good/)
    expect(changed?.inputs[SECOND]).toMatch(/^up, a request was answered, good \d+\.\d s ago$/)
    expect(decided(FIRST).at(-1)).toMatchObject({ ...changed, subject: { kind: 'path', name: FIRST } })
    world.site.link('wan-1').mend()
    await world.until(() => world.text().startsWith('established wan-1'), 400)
    expect(decided('dots1').at(-1)?.because).toBe(
      'it was left because it failed, and was good for two minutes'
    )
  })

  it('names the carrier that was lost, and no answer that nobody waited for', async () => {
    await warm()
    world.client.reportLink('wan-1', false)
    const because = 'the first path has no carrier'
    expect(decided('dots1').map((each) => [each.decision, each.because])).toEqual([
      ['asks by a second path, too', because],
      ['changes over to another path', because]
    ])
  })

  it('names the carrier, and the attack in which nothing is changed over', async () => {
    await warm()
    world.protect('web')
    await world.until(() => world.protection('web') === 'protected', 5)
    world.site.link('wan-1').cut()
    world.client.reportLink('wan-1', false)
    expect(decided('dots1').at(-1)).toMatchObject({
      decision: 'asks everything by a second path, too',
      because: 'the first path has no carrier; in an attack it is kept all the same (RFC 9132 §4.7)'
    })
    expect(decided('dots1').at(-1)?.inputs[FIRST]).toContain('wan-1 has no carrier')
  })
})

describe('what anybody may have said of a path, as in ICMP', () => {
  it('is a reason to look at it by one heartbeat, and never to leave it', async () => {
    await warm()
    const path: UsedPath = {
      name: 'udp 198.51.100.1 wan-1 > 192.0.2.1 4646',
      destination: '192.0.2.1',
      via: 'wan-1',
      source: '198.51.100.1'
    }
    const since = world.clock.now()
    for (let said = 0; said < 100; said++) {
      world.client.reportPath({
        path,
        reporter: `icmp ${said}`,
        verdict: 'bad',
        trust: 'hint',
        because: 'port unreachable',
        isFinal: true
      })
      await world.pass(Seconds(0.1))
    }
    const sent = world.sent.filter(({ at, interface: via }) => at >= since && via === 'wan-1')
    expect(sent.map(({ path: asked }) => asked.endsWith('/hb'))).toEqual([true])
    expect(world.text()).toBe('established wan-1, warm wan-2')
    expect(decided('dots1')).toEqual([])
  })

  it('comes from the endpoint of the session, forged ten times a second: one heartbeat, and nothing else [RFC7252-4.2-S01]', async () => {
    const local: SocketAddress[] = []
    world = new TwoGateways()
    world.network.tap(({ from, path }) => {
      if (from === 'site' && path.interface === 'wan-1') local.push(path.local)
    })
    await world.start({ warmStandby: 'apart' })
    await world.until(() => world.session().standBy !== undefined, 65)
    await world.pass(Seconds(35))
    const since = world.clock.now()
    for (let said = 0; said < 100; said++) {
      const kind = (['port-unreachable', 'unreachable', 'too-big'] as const)[said % 3]!
      const remote = { address: address('192.0.2.1'), port: 4646 }
      world.site.hearIcmp({ kind, local: local.at(-1)!, remote, mtuBytes: 68 })
      await world.pass(Seconds(0.1))
    }
    const sent = world.sent.filter(({ at, interface: via }) => at >= since && via === 'wan-1')
    expect(sent.map(({ path: asked }) => asked.endsWith('/hb'))).toEqual([true])
    expect(world.text()).toBe('established wan-1, warm wan-2')
    expect(decided('dots1')).toEqual([])
  })
})
