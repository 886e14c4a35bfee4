import { Seconds, after, formatIpPrefix } from '@breakwater/core'
import type { NameAnswer, StoredRecord } from '@breakwater/dots'
import { DEFAULT_SERVER_POLICY } from '@breakwater/dots'
import { address } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import {
  CUID,
  ServerBed,
  certificate,
  cuid,
  entryOf,
  only
} from '../../packages/dots/test/server/server-bed.ts'
import type { MitigationPlan } from '@breakwater/dots'

const BY_NAME = { targetFqdn: ['www.example.net'], lifetime: 3600 }

function meaning(ttlSeconds: number, ...addresses: string[]): NameAnswer {
  return { kind: 'addresses', addresses: addresses.map(address), ttlSeconds }
}

function bedWith(answers: Readonly<Record<string, NameAnswer>>): ServerBed {
  const bed = new ServerBed()
  for (const [name, answer] of Object.entries(answers)) bed.names.set(name, answer)
  return bed
}

/** Prefixes of the plan that was applied last. */
function applied(bed: ServerBed): string[] {
  return prefixesOf(bed.applyCalls.at(-1))
}

function prefixesOf(plan: MitigationPlan | undefined): string[] {
  return plan?.target.prefixes.map((each) => formatIpPrefix(each)) ?? []
}

describe("RFC 9132 §4.4.1.1: 'target-fqdn' and 'target-uri'", () => {
  it('what a name resolves to, in both families, is mitigated; what was asked for is shown', () => {
    const bed = bedWith({ 'www.example.net': meaning(300, '192.0.2.7', '2001:db8::7') })
    const peer = bed.establish()
    expect(only(peer.put(1, { ...BY_NAME, targetPrefix: ['192.0.2.9/32'] })).code).toBe('2.01')
    expect(applied(bed)).toEqual(['192.0.2.9/32', '192.0.2.7/32', '2001:db8::7/128'])
    expect(entryOf(only(peer.get(1)))).toMatchObject({
      targetPrefix: ['192.0.2.9/32'],
      targetFqdn: ['www.example.net']
    })
  })

  it("a URI's host, port and scheme are prefix, port range and protocol", () => {
    const bed = bedWith({ 'www.example.net': meaning(300, '192.0.2.7') })
    const targetUri = ['http://www.example.net/index', 'coaps://[2001:db8::8]:1234']
    expect(only(bed.establish().put(1, { targetUri, lifetime: 60 })).code).toBe('2.01')
    expect(applied(bed)).toEqual(['2001:db8::8/128', '192.0.2.7/32'])
    expect(bed.applyCalls[0]?.target).toMatchObject({
      ports: [
        { lower: 80, upper: 80 },
        { lower: 1234, upper: 1234 }
      ],
      protocols: [6, 17]
    })
  })

  it.each([
    ['198.51.100.1', 'does not belong to your domain'],
    ['127.0.0.1', 'loopback'],
    ['224.0.0.9', 'multicast'],
    ['255.255.255.255', 'broadcast']
  ])(
    'a name that means %s, among others, is refused like that prefix [RFC9132-4.4.1.1-M16]',
    (foreign, why) => {
      const bed = bedWith({ 'www.example.net': meaning(300, '192.0.2.7', foreign) })
      const answer = only(bed.establish().put(1, BY_NAME))
      expect(answer.code).toBe('4.00')
      expect(answer.text).toContain(why)
      expect(bed.records.size).toBe(0)
      expect(bed.applyCalls).toEqual([])
    }
  )

  it.each([
    ['https://www.example.net/', '198.51.100.1', 'does not belong to your domain'],
    ['https://www.example.net/', '127.0.0.1', 'loopback'],
    ['https://www.example.net/', '224.0.0.9', 'multicast'],
    ['https://www.example.net/', '255.255.255.255', 'broadcast'],
    ['https://198.51.100.1/', '192.0.2.7', 'does not belong to your domain'],
    ['http://127.0.0.1:8080', '192.0.2.7', 'loopback']
  ])('and so is a URI: %s, which means %s [RFC9132-4.4.1.1-M17]', (uri, meant, why) => {
    const bed = bedWith({ 'www.example.net': meaning(300, meant) })
    const answer = only(bed.establish().put(1, { targetUri: [uri], lifetime: 60 }))
    expect(answer.code).toBe('4.00')
    expect(answer.text).toContain(why)
    expect(bed.applyCalls).toEqual([])
  })

  it('a name without an address is 4.00', () => {
    const bed = bedWith({ 'empty.example.net': meaning(300) })
    const peer = bed.establish()
    expect(only(peer.put(1, BY_NAME)).code).toBe('4.00')
    expect(only(peer.put(1, { targetFqdn: ['empty.example.net'], lifetime: 60 })).code).toBe('4.00')
  })

  it('a name service that fails is 5.03 with a time to retry after, and nothing is kept', () => {
    const bed = new ServerBed()
    bed.names.set('www.example.net', { code: 'DNS_TIMEOUT', message: 'no answer', retryable: true })
    const peer = bed.establish()
    expect(only(peer.put(1, BY_NAME)).code).toBe('5.03')
    bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'local' })
    expect(bed.machine.sizes()).toEqual({ sessions: 0, clients: 0, mitigations: 0 })
  })

  it('a dead name service slows nobody down but those who named names', () => {
    const bed = new ServerBed()
    bed.hold.add('resolve')
    const peer = bed.establish()
    const byName = peer.put(1, BY_NAME)
    const again = peer.put(1, BY_NAME)
    expect(only(peer.put(2, { targetPrefix: ['192.0.2.9/32'], lifetime: 60 })).code).toBe('2.01')
    const other = bed.establish(certificate('second.example.net'))
    const second = cuid('f30d281ce6b64fc5a0b91e')
    expect(only(other.put(1, { targetPrefix: ['192.0.2.10/32'], lifetime: 60 }, second)).code).toBe('2.01')
    expect(byName).toEqual([])
    bed.advance(Seconds(16))
    expect([only(byName).code, only(again).code]).toEqual(['5.03', '5.03'])
    // The repeat was no question of its own.
    expect(bed.held.filter(({ kind }) => kind === 'resolve')).toHaveLength(1)
  })

  it('an answer that comes too late, or to a client that has gone, does no harm', () => {
    const bed = bedWith({ 'www.example.net': meaning(300, '192.0.2.7') })
    bed.hold.add('resolve')
    const peer = bed.establish()
    const answers = peer.put(1, BY_NAME)
    bed.advance(Seconds(16))
    bed.release()
    expect(only(answers).code).toBe('5.03')
    bed.hold.add('resolve')
    peer.put(2, BY_NAME)
    bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'local' })
    bed.release()
    // It was asked for, and is stored: its client finds it when it comes back.
    expect(bed.machine.sizes()).toEqual({ sessions: 0, clients: 1, mitigations: 1 })
  })

  it('a refresh needs no name service', () => {
    const bed = bedWith({ 'www.example.net': meaning(3600, '192.0.2.7') })
    const peer = bed.establish()
    peer.put(1, BY_NAME)
    bed.names.set('www.example.net', { code: 'DNS_TIMEOUT', message: 'no answer', retryable: true })
    expect(only(peer.put(1, { ...BY_NAME, lifetime: 7200 })).code).toBe('2.04')
    expect(entryOf(only(peer.get(1))).lifetime).toBe(7200)
    expect(only(peer.update(1, { ...BY_NAME, attackStatus: 1 })).code).toBe('2.04')
  })

  it('requests of a client that name the same overlap, whatever it means to each', () => {
    const bed = bedWith({ 'www.example.net': meaning(300, '192.0.2.7') })
    const peer = bed.establish()
    peer.put(1, BY_NAME)
    bed.names.set('www.example.net', meaning(300, '192.0.2.8'))
    expect(only(peer.put(2, BY_NAME)).code).toBe('2.01')
    expect(only(peer.get(1)).code).toBe('4.04')
    const lower = only(peer.put(0, { targetPrefix: ['192.0.2.8/32'], lifetime: 60 }))
    expect(lower.code).toBe('4.09')
    expect(entryOf(lower).conflictInformation?.conflictScope).toEqual({ mid: 2 })
  })
})

describe('RFC 9132 §4.4.1.1: "reiterated … upon expiry of DNS TTL"', () => {
  it('a name is asked for again when its time is over, and what it means then is mitigated', () => {
    const bed = bedWith({ 'www.example.net': meaning(100, '192.0.2.7') })
    bed.establish().put(1, BY_NAME)
    bed.names.set('www.example.net', meaning(100, '192.0.2.8'))
    bed.advance(Seconds(99))
    expect(applied(bed)).toEqual(['192.0.2.7/32'])
    bed.advance(Seconds(2))
    expect(applied(bed)).toEqual(['192.0.2.8/32'])
    // The rule is replaced, not doubled.
    expect(bed.plans()).toHaveLength(1)
    expect(new Set(bed.applyCalls.map(({ id }) => id)).size).toBe(1)
  })

  it('an address that fails the checks by then is left out; when none is left, the mitigation ends [RFC9132-4.4.1.1-M16]', () => {
    const bed = bedWith({ 'www.example.net': meaning(100, '192.0.2.7') })
    const peer = bed.establish()
    peer.put(1, BY_NAME)
    peer.observe(1)
    bed.names.set('www.example.net', meaning(100, '192.0.2.7', '198.51.100.1', '127.0.0.1'))
    bed.advance(Seconds(101))
    expect(prefixesOf([...bed.inForce.values()][0])).toEqual(['192.0.2.7/32'])
    expect(bed.eventsOf('name-foreign')).toMatchObject([{ prefixes: ['198.51.100.1/32', '127.0.0.1/32'] }])
    bed.names.set('www.example.net', meaning(100, '198.51.100.1'))
    bed.advance(Seconds(101))
    expect(bed.plans()).toEqual([])
    expect(entryOf(peer.notifications.at(-1)).status).toBe(7)
    expect(only(peer.get(1)).code).toBe('4.04')
    expect(bed.records.size).toBe(0)
  })

  it('a name service that fails, or denies the name, leaves in force what was known, and is asked again', () => {
    const bed = bedWith({ 'www.example.net': meaning(100, '192.0.2.7') })
    bed.establish().put(1, BY_NAME)
    bed.names.set('www.example.net', { code: 'DNS_TIMEOUT', message: 'no answer', retryable: true })
    bed.advance(Seconds(1000))
    expect(bed.plans()).toHaveLength(1)
    bed.names.set('www.example.net', meaning(100, '192.0.2.8'))
    bed.advance(Seconds(61))
    expect(applied(bed)).toEqual(['192.0.2.8/32'])
  })

  it('however short its answers last, a name is not asked for more often than twice a minute', () => {
    const bed = bedWith({ 'www.example.net': meaning(0, '192.0.2.7') })
    bed.establish().put(1, BY_NAME)
    bed.hold.add('resolve')
    bed.advance(Seconds(29))
    expect(bed.held).toEqual([])
    bed.advance(Seconds(2))
    expect(bed.held).toHaveLength(1)
  })

  it('after a restart it is mitigated at once as last known, and the name asked for', () => {
    const bed = bedWith({ 'www.example.net': meaning(3600, '192.0.2.7') })
    bed.establish().put(1, BY_NAME)
    const records: StoredRecord[] = [...bed.records].map(([key, value]) => ({ key, value }))
    const next = new ServerBed({ records, wallClock: after(bed.wallClock(), Seconds(10)) })
    expect(applied(next)).toEqual(['192.0.2.7/32'])
    next.names.set('www.example.net', meaning(3600, '192.0.2.8'))
    next.advance(Seconds(0))
    expect(applied(next)).toEqual(['192.0.2.8/32'])
    expect(entryOf(only(next.establish().get(1)))).toMatchObject({ targetFqdn: ['www.example.net'] })
  })

  it('with the mitigation, the questions end', () => {
    const bed = bedWith({ 'www.example.net': meaning(100, '192.0.2.7') })
    const peer = bed.establish()
    peer.put(1, BY_NAME)
    peer.delete(1)
    bed.advance(Seconds(200))
    expect(bed.machine.timers().filter(({ name }) => name.startsWith('name'))).toEqual([])
  })
})

describe("RFC 9132 §4.4.1.3: 'alias-name'", () => {
  it('an alias that the client did not create is 4.00 [RFC9132-4.4.1.3-M01]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    const answer = only(peer.put(1, { aliasName: ['web'], targetPrefix: ['192.0.2.7/32'], lifetime: 60 }))
    expect(answer.code).toBe('4.00')
    expect(answer.text).toContain('no alias "web"')
    expect(bed.records.size).toBe(0)
  })
})

describe('limits on names', () => {
  it('a request names so many targets at most', () => {
    const limits = { ...DEFAULT_SERVER_POLICY.limits, targetsPerRequest: 2 }
    const bed = new ServerBed({ policy: { limits } })
    const targetFqdn = ['a.example.net', 'b.example.net', 'c.example.net']
    expect(only(bed.establish().put(1, { targetFqdn, lifetime: 60 })).code).toBe('4.13')
    expect(bed.machine.sizes().clients).toBe(0)
  })

  it('a name with more addresses than we take is 5.03, as the name service may say less another time', () => {
    const limits = { ...DEFAULT_SERVER_POLICY.limits, addressesPerName: 2 }
    const bed = new ServerBed({ policy: { limits } })
    bed.names.set('www.example.net', meaning(60, '192.0.2.1', '192.0.2.2', '192.0.2.3'))
    expect(only(bed.establish().put(1, BY_NAME)).code).toBe('5.03')
  })

  it('one client waits for the names of 16 requests, and then gets 4.29', () => {
    const bed = new ServerBed()
    bed.hold.add('resolve')
    const peer = bed.establish()
    const answers = Array.from({ length: 17 }, (_, id) =>
      peer.put(id, { targetFqdn: [`host-${id}.example.net`], lifetime: 60 })
    )
    expect(answers.map(([answer]) => answer?.code)).toEqual([
      ...Array.from({ length: 16 }, () => undefined),
      '4.29'
    ])
    expect(bed.machine.sizes().clients).toBe(1)
    expect([...bed.records.keys()].filter((key) => key.startsWith(CUID))).toEqual([])
  })

  it('all clients together have so many questions open', () => {
    const limits = { ...DEFAULT_SERVER_POLICY.limits, namesAtOnce: 1 }
    const bed = new ServerBed({ policy: { limits } })
    bed.hold.add('resolve')
    const peer = bed.establish()
    expect(peer.put(1, BY_NAME)).toEqual([])
    expect(only(peer.put(2, { targetFqdn: ['b.example.net'], lifetime: 60 })).code).toBe('5.03')
  })
})
