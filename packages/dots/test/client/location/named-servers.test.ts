import { Minutes, Seconds } from '@breakwater/core'
import { address } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Notebook } from '../../../src/client/memory/notebook.ts'
import { parseCuid } from '../../../src/domain/identifier.ts'
import type { Cuid } from '../../../src/domain/identifier.ts'
import { without } from '../site/site-variants.ts'
import { ISP_A, ISP_B, TestStore, targetOf } from '../two-providers.ts'
import { ADDRESS_A, ADDRESS_B, NAME_A, NAME_B, NamedServers, namedSite } from './named-servers.ts'

let names: NamedServers
beforeEach(() => {
  names = new NamedServers()
})
afterEach(() => names.close())

const BOTH = { 'isp-a': 'established', 'isp-b': 'established' }
function cuidNamed(text: string): Cuid {
  const cuid = parseCuid(text)
  if (cuid === undefined) throw new Error('no cuid')
  return cuid
}

const STRANGER = address('192.0.2.200')

describe('a server that is known by its name alone', () => {
  it('has its session within 10 seconds after a name service that was missing at the start has come back', async () => {
    names.a.isDead = true
    await names.start()
    await names.world.advance(Minutes(7))
    expect(names.sessions()['isp-a']).toBe('no-path')
    names.a.isDead = false
    await names.world.advance(Seconds(10))
    expect(names.sessions()).toEqual(BOTH)
  })

  it('is found where an earlier life found it, while the name service is dead', async () => {
    const notebook = (): Notebook =>
      new Notebook(store, names.world.clock, { onDamaged: () => undefined, onFailure: () => undefined })
    const store = new TestStore()
    await names.startServers()
    names.startClient({ notebook: notebook() })
    await names.world.advance(Seconds(3))
    expect(names.sessions()).toEqual(BOTH)
    await names.world.client.close()
    names.a.isDead = true
    names.startClient({ notebook: notebook() })
    await names.world.advance(Seconds(5))
    expect(names.sessions()).toEqual(BOTH)
  })

  it('is asked for again when its time to live is over, and a session that stands stays', async () => {
    await names.start()
    const before = names.a.asked.length
    names.say(names.a, NAME_A, STRANGER)
    await names.world.advance(Minutes(10))
    expect(names.a.asked.length).toBeGreaterThanOrEqual(before + 8)
    expect(names.sessions()).toEqual(BOTH)
    expect(names.world.clientEndpointConnects('isp-a')).toHaveLength(1)
  })

  it('has its session where it is now, once the one that it had is lost', async () => {
    names.say(names.a, NAME_A, STRANGER)
    await names.start()
    expect(names.sessions()['isp-a']).not.toBe('established')
    names.say(names.a, NAME_A, ADDRESS_A)
    await names.world.advance(Minutes(6))
    expect(names.sessions()).toEqual(BOTH)
  })

  it('hears what is withdrawn when it is of the site no more, where it was', async () => {
    await names.start()
    names.world.protect('b', targetOf('100.64.7.9/32'))
    await names.world.advance(Seconds(2))
    names.world.sent.length = 0
    names.world.client.updateSite({ site: without(namedSite, ISP_B) })
    await names.world.advance(Seconds(4))
    expect(names.world.mitigationRequests()).toContain('DELETE isp-b')
    expect(names.world.client.status().requests).toEqual([])
  })

  it('keeps its session when it is of the site again soon', async () => {
    await names.start()
    const before = names.world.connects.length
    names.world.client.updateSite({ site: without(namedSite, ISP_B) })
    await names.world.advance(Seconds(4))
    names.world.client.updateSite({ site: namedSite })
    await names.world.advance(Seconds(10))
    expect(names.sessions()).toEqual(BOTH)
    expect(names.world.connects).toHaveLength(before)
  })

  it('keeps it when it is of the site again, while its name service is dead', async () => {
    await names.start()
    const before = names.world.connects.length
    names.world.client.updateSite({ site: without(namedSite, ISP_B) })
    names.b.isDead = true
    await names.world.advance(Seconds(4))
    names.world.client.updateSite({ site: namedSite })
    await names.world.advance(Minutes(2))
    expect(names.sessions()).toEqual(BOTH)
    expect(names.world.connects).toHaveLength(before)
  })

  it('counts as reached when the client has another credential, and its former session is let go', async () => {
    await names.start()
    const cuids = new Map([ISP_A, ISP_B].map((isp) => [isp, cuidNamed(`another-cuid-${isp}`)]))
    names.world.client.updateSite({ site: namedSite, cuids })
    await names.world.advance(Minutes(3))
    expect(names.sessions()).toEqual(BOTH)
    names.a.isDead = true
    await names.world.advance(Minutes(2))
    const before = names.a.asked.length
    await names.world.advance(Minutes(5))
    expect(names.a.asked.length - before).toBeLessThan(8)
  })

  it('is not taken from us by a name service that lies: where it proved who it is, it is found again', async () => {
    await names.start()
    names.say(names.a, NAME_A, STRANGER)
    await names.world.advance(Minutes(2))
    await names.world.stopServer('isp-a')
    await names.world.startServer('isp-a')
    await names.world.advance(Minutes(6))
    expect(names.sessions()).toEqual(BOTH)
  })
})

describe('RFC 9284 §5.2: one address for the servers of two domains', () => {
  it("that is configured as the other's is refused, and the operator hears why", async () => {
    names.say(names.a, NAME_A, ADDRESS_B)
    await names.startServers()
    const [a, b] = namedSite.domains
    const known = { ...b!, servers: b!.servers.map((server) => ({ ...server, addresses: [ADDRESS_B] })) }
    const { isNamed: _, ...configured } = known.servers[0]!
    names.startClient({ site: { ...namedSite, domains: [a!, { ...b!, servers: [configured] }] } })
    await names.world.advance(Minutes(2))
    expect(names.sessions()).toEqual({ 'isp-a': 'no-path', 'isp-b': 'established' })
    expect(names.locationOf('isp-a')?.trouble).toBe('192.0.2.129 is the address of server isp-b of isp-b')
    expect(names.world.clientEndpointConnects('isp-b')).toHaveLength(1)
    names.say(names.a, NAME_A, ADDRESS_A)
    await names.world.advance(Seconds(10))
    expect(names.sessions()).toEqual(BOTH)
  })

  it('that both name services give goes to the one whose certificate it shows', async () => {
    names.say(names.a, NAME_A, ADDRESS_B)
    await names.start()
    await names.world.advance(Minutes(1))
    expect(names.sessions()['isp-b']).toBe('established')
    expect(names.sessions()['isp-a']).toBe('no-path')
    expect(names.locationOf('isp-a')?.trouble).toContain('is the address of server isp-b')
    names.world.protect('web', targetOf('198.51.100.7/32'))
    await names.world.advance(Seconds(10))
    expect(names.world.state('web')).toBe('waiting')
    expect(names.world.wrongServerRequests()).toEqual([])
  })

  it('is taken where the operator answers for it', async () => {
    names.say(names.a, NAME_A, ADDRESS_B)
    await names.startServers()
    names.startClient({ site: { ...namedSite, allowsSharedServerAddresses: true } })
    await names.world.advance(Seconds(10))
    expect(names.locationOf('isp-a')).toEqual({ addresses: 1, trouble: '' })
    // Its certificate does not.
    expect(names.sessions()).toEqual({ 'isp-a': 'pausing', 'isp-b': 'established' })
  })

  it.each(['127.0.0.1', '224.0.0.1', '255.255.255.255', '0.0.0.0'])(
    'no server is at %s, whoever says so',
    async (text) => {
      names.say(names.a, NAME_A, address(text))
      await names.start()
      expect(names.sessions()['isp-a']).toBe('no-path')
      expect(names.locationOf('isp-a')?.trouble).toContain(`${text} is the address of no other host`)
    }
  )
})

describe('a clock that steps', () => {
  it.each([Minutes(600), Minutes(-600)])(
    'by %i ms does not change when a name is asked for again',
    async (step) => {
      await names.start()
      const before = names.b.asked.length
      names.world.clock.stepWallClock(step)
      await names.world.advance(Seconds(50))
      expect(names.b.asked.length).toBe(before)
      await names.world.advance(Seconds(20))
      expect(names.b.asked.length).toBe(before + 1)
      expect(NAME_B).toBe(names.b.asked.at(-1))
    }
  )
})
