import { Milliseconds, Minutes, Seconds } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import { SegmentKind, address, decodeSegment } from '@breakwater/testing'
import type { TraceEntry } from '@breakwater/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { EyeballsWorld } from '../../packages/dots/test/client/eyeballs-world.ts'
import type { WayName } from '../../packages/dots/test/client/eyeballs-world.ts'
import { TwoProviders, targetOf } from '../../packages/dots/test/client/two-providers.ts'
import { ProtectionId } from '../../packages/dots/src/domain/identifier.ts'

const DAY: Duration = Seconds(24 * 3600)
const UDP: readonly WayName[] = ['udp6', 'udp4']

let open: EyeballsWorld | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})

function newWorld(latency?: Duration): EyeballsWorld {
  open = new EyeballsWorld(latency)
  return open
}

/** Something is asked of the server: an attack is on. */
function attack(world: EyeballsWorld): void {
  world.client.protect({
    id: ProtectionId('web'),
    target: targetOf('203.0.113.7/32'),
    lifetime: 3600,
    allowPartial: false,
    require: 'all'
  })
}

describe('RFC 9132 §4.3: happy eyeballs', () => {
  it('tries UDP over IPv6, UDP over IPv4, TCP over IPv6 and TCP over IPv4, in this order', async () => {
    const world = newWorld()
    world.block('udp6', 'udp4', 'tcp6', 'tcp4')
    await world.start()
    await world.advance(Seconds(5))
    expect(world.attemptTexts()).toEqual(['0 udp6', '250 udp4', '500 tcp6', '750 tcp4'])
  })

  it('stays with what it prefers where that works, and tries nothing else', async () => {
    const world = newWorld()
    await world.start()
    await world.advance(Seconds(5))
    expect(world.session()).toBe('established udp6')
    expect(world.attemptTexts()).toEqual(['0 udp6'])
  })

  it('does without IPv6 where that is broken, and loses a quarter of a second', async () => {
    const world = newWorld()
    world.block('udp6', 'tcp6')
    await world.start()
    await world.advance(Milliseconds(250 + 100))
    expect(world.session()).toBe('established udp4')
  })

  it('does without UDP where that is blocked, and loses half a second', async () => {
    const world = newWorld()
    world.block(...UDP)
    await world.start()
    await world.advance(Milliseconds(500 + 100))
    expect(world.session()).toBe('established tcp6')
  })

  it('during an attack, attempts follow each other after 100 ms [RFC9132-4.3-S01]', async () => {
    const world = newWorld()
    world.block('udp6', 'udp4', 'tcp6')
    await world.start()
    attack(world)
    await world.advance(Seconds(1))
    const times = world.attempts().map(({ at }) => at)
    // The first one had left when the attack became known.
    expect(times.map((at, index) => at - (times[index - 1] ?? 0))).toEqual([0, 100, 100, 100])
    expect(world.session()).toBe('established tcp4')
  })
})

describe('RFC 9132 §4.3: the outcome is cached', () => {
  it('the next run goes straight for what worked, and leaves alone what did not [RFC9132-4.3-M01]', async () => {
    const world = newWorld()
    world.block(...UDP)
    await world.start()
    await world.advance(Seconds(70))
    const lostAt = await loseSession(world)
    await world.advance(Milliseconds(400))
    expect(world.session()).toBe('established tcp6')
    expect(world.attempts(lostAt).map(({ way }) => way)).toEqual(['tcp6'])
  })

  it('the cached information is flushed after ten minutes [RFC9132-4.3-M01]', async () => {
    const world = newWorld()
    world.block(...UDP)
    await world.start()
    await world.advance(Seconds(601))
    const lostAt = await loseSession(world)
    await world.advance(Milliseconds(700))
    expect(world.attempts(lostAt).map(({ way }) => way)).toEqual(['udp6', 'udp4', 'tcp6'])
  })
})

/** The server forgets everything without a word, and is there again; the client notices at its next segment. */
async function loseSession(world: EyeballsWorld): Promise<number> {
  await world.crash()
  await world.listen()
  const before = world.clock.now()
  attack(world)
  await world.clock.runUntil(() => world.session() !== 'established tcp6', Minutes(2))
  return Math.max(before, world.clock.now())
}

describe('RFC 9132 §4.3: from TCP back to UDP', () => {
  it('a session over TLS looks for DTLS once a day, and moves [RFC9132-4.3-M02]', async () => {
    const world = newWorld()
    world.block(...UDP)
    await world.start()
    await world.advance(Minutes(60))
    world.unblock(...UDP)
    const start = world.clock.now()
    await world.advance(Milliseconds(DAY - start - 1000))
    expect(world.attemptTexts(start)).toEqual([])
    expect(world.session()).toBe('established tcp6')
    await world.advance(Seconds(2))
    expect(world.attempts(start).map(({ way }) => way)).toEqual(['udp6'])
    expect(world.session()).toBe('established udp6')
    await world.advance(Milliseconds(2 * DAY))
    expect(world.attempts(start)).toHaveLength(1)
  })

  it('looks no more often than every five minutes, whatever is configured [RFC9132-4.3-M02]', async () => {
    const world = newWorld()
    world.block(...UDP)
    await expect(world.start({ happyEyeballs: { udpProbeSeconds: 299 } })).rejects.toThrow(
      'the migration rule is unusable'
    )
    await world.start({ happyEyeballs: { udpProbeSeconds: 300 } })
    await world.advance(Minutes(60))
    const probes = world.attempts().filter(({ way }) => way === 'udp6')
    expect(probes.length).toBeGreaterThan(5)
    for (const [index, { at }] of probes.entries())
      expect(at - (probes[index - 1]?.at ?? -Infinity)).toBeGreaterThanOrEqual(300_000)
    expect(world.session()).toBe('established tcp6')
  })
})

describe('RFC 9132 §4.3: default routers, where no address is known', () => {
  const lan = { interface: 'wan-a', address: address('fe80::1') }

  it('the default router of the domain is asked, by the interface of the domain', async () => {
    const world = newWorld()
    await world.listen('fe80::1')
    world.routers.add(lan)
    await world.start({}, EyeballsWorld.router)
    await world.advance(Seconds(1))
    expect(world.session()).toBe('established udp6')
    expect(world.client.status().sessions[0]?.path).toMatchObject({ remote: 'fe80::1', interface: 'wan-a' })
  })

  it('the router of another interface is not asked: it is somebody else', async () => {
    const world = newWorld()
    await world.listen('fe80::1')
    world.routers.add({ ...lan, interface: 'wan-b' })
    await world.start({}, EyeballsWorld.router)
    await world.advance(Minutes(10))
    expect(world.attempts()).toEqual([])
    expect(world.client.status().sessions[0]).toMatchObject({
      state: 'no-path',
      text: 'server isp-a is the default router, and there is none on wan-a'
    })
  })

  it('is found when it comes up later', async () => {
    const world = newWorld()
    await world.listen('fe80::1')
    await world.start({}, EyeballsWorld.router)
    world.routers.isBroken = true
    await world.advance(Minutes(1))
    world.routers.isBroken = false
    world.routers.add(lan)
    await world.advance(Seconds(6))
    expect(world.session()).toBe('established udp6')
    const { reads } = world.routers
    await world.advance(Minutes(10))
    expect(world.routers.reads).toBe(reads)
  })
})

describe('RFC 9132 §4.3: one session for everything', () => {
  it('requests, refreshes and withdrawals of days go over one (D)TLS session [RFC9132-4.3-S02]', async () => {
    const world = new TwoProviders()
    await world.start()
    for (const host of [7, 8, 9]) world.protect(`web-${host}`, targetOf(`198.51.100.${host}/32`))
    await world.advance(Minutes(180))
    world.release('web-7')
    await world.advance(Minutes(180))
    const asked = world.sent.filter((request) => world.ispAt(request) === 'isp-a')
    expect(new Set(asked.map(({ method }) => method))).toEqual(new Set(['GET', 'PUT', 'DELETE']))
    expect(asked.length).toBeGreaterThan(100)
    expect(world.clientEndpointConnects('isp-a')).toHaveLength(1)
    await world.close()
  })
})

/** One line of Figure 4 for each packet that it shows; repetitions are not shown. */
function figureOf(trace: readonly TraceEntry[]): string[] {
  const lines: string[] = []
  const shown = new Set<string>()
  for (const entry of trace) {
    const label = labelOf(entry)
    if (label === undefined || entry.fate.kind !== 'sent' || shown.has(label)) continue
    shown.add(label)
    const fate = trace.find((other) => other.datagram === entry.datagram && other.fate.kind !== 'sent')?.fate
    const arrow = fate?.kind === 'delivered' ? '>' : '>X'
    const time = lines.filter((line) => line.startsWith('T')).length
    const isAttempt = label.includes('ClientHello,') || label.includes('SYN,')
    lines.push(isAttempt ? `T${time} --${label}--${arrow}` : label)
  }
  return lines
}

function labelOf({ from, transport, path, bytes }: TraceEntry): string | undefined {
  const family = `IPv${path.remote.address.family}`
  if (transport === 'udp') return from === 'site' ? `DTLS ClientHello, ${family}` : undefined
  const segment = decodeSegment(bytes)
  if (segment?.kind === SegmentKind.syn) return `TCP SYN, ${family}`
  if (segment?.kind === SegmentKind.synAck) return '<-TCP SYNACK--'
  return from === 'site' ? '--TCP ACK->' : '<-Establish TLS Session->'
}

describe('RFC 9132 Figure 4: DOTS Happy Eyeballs (Sample Flow)', () => {
  it('IPv6 is broken and UDP is dropped: TCP over IPv4 carries the session after three delays', async () => {
    const world = newWorld()
    world.block('udp6', 'udp4', 'tcp6')
    await world.start()
    await world.advance(Milliseconds(900))
    expect(figureOf(world.trace)).toEqual([
      'T0 --DTLS ClientHello, IPv6-->X',
      'T1 --DTLS ClientHello, IPv4-->X',
      'T2 --TCP SYN, IPv6-->X',
      'T3 --TCP SYN, IPv4-->',
      '<-TCP SYNACK--',
      '--TCP ACK->',
      '<-Establish TLS Session->'
    ])
    const [t0, t1, t2, t3] = world.attempts().map(({ at }) => at)
    expect([t1! - t0!, t2! - t1!, t3! - t2!]).toEqual([250, 250, 250])
    expect(world.session()).toBe('established tcp4')
  })
})
