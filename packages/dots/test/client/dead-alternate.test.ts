import { Minutes, Seconds, formatIpAddress } from '@breakwater/core'
import { DEFAULT_SERVER_POLICY } from '@breakwater/dots'
import type { Redirection, ServerHost } from '@breakwater/dots'
import { address, simulatedCertificate } from '@breakwater/testing'
import { afterEach, describe, expect, it } from 'vitest'
import type { RedirectReport, SessionReport } from '../../src/index.ts'
import { DryRun, TestStore, TwoProviders, targetOf } from './two-providers.ts'

/** A provider sends its clients to a server that is not there (RFC 9132 §4.6). */

const ELSEWHERE: Redirection = {
  server: 'alt.isp-a.example',
  addresses: [address('192.0.2.77')],
  ttlSeconds: 86_400,
  clients: 'all'
}
const OURS = targetOf('198.51.100.7/32')

let world: TwoProviders
let alternate: ServerHost | undefined
afterEach(async () => {
  await alternate?.stop()
  alternate = undefined
  await world.close()
})

async function sentNowhere(): Promise<void> {
  world = new TwoProviders()
  await world.startServer('isp-a', { policy: { ...DEFAULT_SERVER_POLICY, redirection: ELSEWHERE } })
  await world.startServer('isp-b')
  world.startClient()
  await world.advance(Seconds(1))
  world.protect('web', OURS)
}

/** The other server comes up after all. */
async function comesUp(): Promise<void> {
  const provider = world.providers['isp-a']
  const first = provider.server
  const [at] = ELSEWHERE.addresses
  const host = world.network.addHost('alternate', { interfaces: [{ name: 'eth0', addresses: [at!] }] })
  const name = ELSEWHERE.server
  const certificate = simulatedCertificate({ authority: 'isp-a authority', subject: name, dnsNames: [name] })
  await world.startServer('isp-a', {
    open: host.openSecureEndpoint,
    openStream: host.openSecureStream,
    listen: [{ local: { address: at!, port: 4646 }, certificate }],
    store: new TestStore(),
    mitigator: new DryRun()
  })
  alternate = provider.server
  provider.server = first
}

function session(): SessionReport {
  return world.client.status().sessions.find(({ server }) => server === 'isp-a')!
}

function handshakesElsewhere(): number {
  return world.connects.filter(({ remote }) => formatIpAddress(remote.address) === '192.0.2.77').length
}

function requestsFor(): number {
  return world.sent.filter(({ method, mitigationId }) => method === 'PUT' && mitigationId !== undefined)
    .length
}

describe('a client that is sent to a server that is not there', () => {
  it('raises an alarm that names both, and shows it until somebody serves again', async () => {
    await sentNowhere()
    await world.advance(Minutes(3))
    const dead = { server: 'isp-a', alternate: ELSEWHERE.server }
    expect(world.events).toContainEqual(
      expect.objectContaining({
        kind: 'alternate-unreachable',
        ...dead,
        reason: expect.stringContaining('192.0.2.77')
      })
    )
    expect(session().redirect).toMatchObject<Partial<RedirectReport>>({
      alternate: ELSEWHERE.server,
      state: 'unreachable'
    })
    expect(session().state).toBe('established')
    expect(world.state('web')).not.toBe('protected')
  })

  it('tries it again every five minutes, and asks its provider once a minute between: no more, and no less', async () => {
    await sentNowhere()
    await world.advance(Minutes(3))
    const before = handshakesElsewhere()
    const asked = requestsFor()
    await world.advance(Minutes(60))
    expect(handshakesElsewhere() - before).toBeGreaterThanOrEqual(8)
    expect(handshakesElsewhere() - before).toBeLessThanOrEqual(12)
    expect(requestsFor() - asked).toBeGreaterThanOrEqual(40)
    expect(requestsFor() - asked).toBeLessThanOrEqual(80)
    expect(world.events.filter(({ kind }) => kind === 'alternate-unreachable').length).toBeGreaterThan(8)
  })

  it('learns within a minute that its provider serves it again (dots redirect --stop)', async () => {
    await sentNowhere()
    await world.advance(Minutes(3))
    world.providers['isp-a'].server?.redirect(undefined)
    await world.advance(Seconds(62))
    expect(world.state('web')).toBe('protected')
    expect(session().redirect).toBeUndefined()
  })

  it('goes there when it has come up, and the alarm is over', async () => {
    await sentNowhere()
    await world.advance(Minutes(3))
    expect(session().redirect?.state).toBe('unreachable')
    await comesUp()
    await world.advance(Minutes(7))
    expect(session().redirect).toEqual({ alternate: ELSEWHERE.server, state: 'standing-in', reason: '' })
    expect(world.state('web')).toBe('protected')
  })
})
