import { encodeUtf8, decodeUtf8, Milliseconds, Seconds } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import { afterEach, describe, expect, it } from 'vitest'
import { address, prefix } from '../../src/builders/address.ts'
import { LeakCheck } from '../../src/leak-check.ts'
import type { SimulatedHost, SimulatedSocket } from '../../src/sim/host.ts'
import type { LinkConditions } from '../../src/sim/conditions.ts'
import { SimulatedNetwork } from '../../src/sim/network.ts'
import type { TraceEntry } from '../../src/sim/trace.ts'
import { VirtualClock } from '../../src/virtual-clock.ts'

/*
 *   site ── wan-a 198.51.100.7, 2001:db8:a::7 ──┐
 *        └─ wan-b 203.0.113.7 ──────────────────┴── net ── eth0 192.0.2.1, 2001:db8:5::1 ── server
 */
const a = address('198.51.100.7')
const b = address('203.0.113.7')
const s = address('192.0.2.1')

const leaks = new LeakCheck()
afterEach(() => leaks.check())

interface Arrival {
  readonly at: number
  readonly text: string
  readonly from: IpAddress
  readonly interface: string
}

class World {
  readonly clock = leaks.clock(new VirtualClock())
  readonly network: SimulatedNetwork
  readonly site: SimulatedHost
  readonly server: SimulatedHost
  readonly arrivals: Arrival[] = []
  readonly trace: TraceEntry[] = []

  constructor(
    seed: number,
    conditions: Partial<LinkConditions> = {},
    routing: 'by-source' | 'first-interface' = 'by-source'
  ) {
    this.network = new SimulatedNetwork({ clock: this.clock, seed })
    this.network.tap((entry) => this.trace.push(entry))
    this.site = this.network.addHost('site', {
      interfaces: [
        { name: 'wan-a', addresses: [a, address('2001:db8:a::7')], conditions },
        { name: 'wan-b', addresses: [b] }
      ],
      routing
    })
    this.server = this.network.addHost('server', {
      interfaces: [{ name: 'eth0', addresses: [s, address('2001:db8:5::1')] }]
    })
    this.server.bind({ address: s, port: 4646 }, undefined, (datagram) =>
      this.arrivals.push({
        at: this.clock.now(),
        text: decodeUtf8(datagram.bytes),
        from: datagram.source.address,
        interface: datagram.interface
      })
    )
  }

  socket(own: IpAddress, interfaceName?: string): SimulatedSocket {
    return this.site.bind({ address: own, port: 0 }, interfaceName, () => undefined)
  }

  send(socket: SimulatedSocket, text: string): void {
    const path = this.site.pathTo(socket, { address: s, port: 4646 })
    if (path !== undefined) this.site.send(socket, path, encodeUtf8(text))
  }

  /** Sends numbered texts, one every millisecond. */
  async sendMany(socket: SimulatedSocket, count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      this.send(socket, `${index}`)
      await this.clock.advance(Milliseconds(1))
    }
    await this.clock.advance(Seconds(5))
  }

  texts(): readonly string[] {
    return this.arrivals.map(({ text }) => text)
  }

  fates(): readonly string[] {
    return this.trace.map(({ fate }) => (fate.kind === 'dropped' ? fate.reason : fate.kind))
  }
}

async function fatesOf(seed: number): Promise<readonly string[]> {
  const world = new World(seed, { loss: 0.1, reorder: 0.1, duplicate: 0.1, jitter: Milliseconds(30) })
  await world.sendMany(world.socket(a), 200)
  return world.trace.map(({ at, datagram, fate }) => `${at} ${datagram} ${JSON.stringify(fate)}`)
}

async function lostOnA(trafficOnB: boolean): Promise<readonly string[]> {
  const world = new World(5, { loss: 0.5 })
  const [own, other] = [world.socket(a), world.socket(b)]
  for (let index = 0; index < 50; index++) {
    if (trafficOnB) world.send(other, 'b')
    world.send(own, `${index}`)
  }
  await world.clock.advance(Seconds(1))
  return world.texts().filter((text) => text !== 'b')
}

describe('the simulated network', () => {
  it('brings a datagram over both links in the sum of their latencies', async () => {
    const world = new World(1, { latency: Milliseconds(30) })
    world.send(world.socket(a), 'hello')
    await world.clock.advance(Milliseconds(34))
    expect(world.arrivals).toEqual([])
    await world.clock.advance(Milliseconds(1))
    expect(world.arrivals).toEqual([{ at: 35, text: 'hello', from: a, interface: 'eth0' }])
  })

  it('loses as many as its chance says', async () => {
    const world = new World(42, { loss: 0.2 })
    await world.sendMany(world.socket(a), 2000)
    // 1600 expected, standard deviation about 18.
    expect(Math.abs(world.arrivals.length - 1600)).toBeLessThan(90)
    expect(world.site.link('wan-a').up.counts).toMatchObject({
      entered: 2000,
      lost: 2000 - world.arrivals.length
    })
    expect(world.site.link('wan-b').up.counts.entered).toBe(0)
  })

  it('loses nothing at chance 0 and everything at chance 1', async () => {
    const clear = new World(1)
    await clear.sendMany(clear.socket(a), 100)
    expect(clear.arrivals).toHaveLength(100)
    const dark = new World(1, { loss: 1 })
    await dark.sendMany(dark.socket(a), 100)
    expect(dark.arrivals).toEqual([])
  })

  it('keeps the order under jitter alone, and delays by no more than the jitter', async () => {
    const world = new World(7, { jitter: Milliseconds(40) })
    await world.sendMany(world.socket(a), 200)
    expect(world.texts()).toEqual(Array.from({ length: 200 }, (_, index) => `${index}`))
    const delays = world.arrivals.map(({ at }, index) => at - index)
    expect(Math.max(...delays)).toBeLessThanOrEqual(50)
    expect(Math.max(...delays)).toBeGreaterThan(30)
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(10)
  })

  it('really reorders: what is held back is overtaken, and arrives', async () => {
    const world = new World(7, { reorder: 0.1 })
    await world.sendMany(world.socket(a), 300)
    const numbers = world.texts().map(Number)
    expect(numbers.toSorted((x, y) => x - y)).toEqual(Array.from({ length: 300 }, (_, index) => index))
    const overtaken = numbers.filter((number, index) => numbers.slice(0, index).some((one) => one > number))
    expect(overtaken.length).toBe(world.site.link('wan-a').up.counts.reordered)
    expect(overtaken.length).toBeGreaterThan(10)
  })

  it('duplicates as often as its chance says', async () => {
    const world = new World(3, { duplicate: 0.5 })
    await world.sendMany(world.socket(a), 1000)
    const { duplicated } = world.site.link('wan-a').up.counts
    expect(Math.abs(duplicated - 500)).toBeLessThan(80)
    expect(world.arrivals).toHaveLength(1000 + duplicated)
    expect(new Set(world.texts()).size).toBe(1000)
  })

  it('cuts one way only, and mends', async () => {
    const world = new World(1)
    const heard: string[] = []
    const local = { address: a, port: 5000 }
    const socket = world.site.bind(local, undefined, ({ bytes }) => heard.push(decodeUtf8(bytes)))
    const answering = world.server.bind({ address: s, port: 99 }, undefined, () => undefined)
    const back = world.server.pathTo(answering, local) ?? expect.fail('no path')
    world.site.link('wan-a').cut('up')
    world.send(socket, 'unheard')
    world.server.send(answering, back, encodeUtf8('still heard'))
    await world.clock.advance(Seconds(1))
    expect([world.texts(), heard]).toEqual([[], ['still heard']])

    world.site.link('wan-a').mend()
    world.site.link('wan-a').cut('down')
    world.send(socket, 'heard')
    world.server.send(answering, back, encodeUtf8('unheard'))
    await world.clock.advance(Seconds(1))
    expect([world.texts(), heard]).toEqual([['heard'], ['still heard']])

    world.site.link('wan-a').mend('down')
    world.server.send(answering, back, encodeUtf8('heard again'))
    await world.clock.advance(Seconds(1))
    expect(heard).toEqual(['still heard', 'heard again'])
    expect(world.site.link('wan-a').up.counts.cut).toBe(1)
    expect(world.site.link('wan-a').down.counts.cut).toBe(1)
  })

  it('changes conditions while it runs, without touching what is under way', async () => {
    const world = new World(1, { latency: Milliseconds(100) })
    const socket = world.socket(a)
    world.send(socket, 'before')
    world.site.link('wan-a').change({ loss: 1 })
    world.send(socket, 'after')
    await world.clock.advance(Seconds(1))
    expect(world.texts()).toEqual(['before'])
  })

  it('loses the very datagrams that a test names', async () => {
    const world = new World(1)
    world.site.link('wan-a').up.dropNext(2, 1)
    await world.sendMany(world.socket(a), 5)
    expect(world.texts()).toEqual(['0', '3', '4'])
    expect(world.fates().filter((fate) => fate === 'on-request')).toHaveLength(2)
  })

  it('gives the same trace for the same seed, and another one for another seed', async () => {
    const first = await fatesOf(5)
    expect(await fatesOf(5)).toEqual(first)
    expect(await fatesOf(6)).not.toEqual(first)
  })

  it('draws the chances of one link from a stream of its own', async () => {
    expect(await lostOnA(true)).toEqual(await lostOnA(false))
  })

  it('gives no two links the same luck', async () => {
    const world = new World(5)
    for (const name of ['wan-a', 'wan-b']) world.site.link(name).change({ loss: 0.5 })
    const sockets = [world.socket(a), world.socket(b)]
    for (let index = 0; index < 50; index++) for (const socket of sockets) world.send(socket, `${index}`)
    await world.clock.advance(Seconds(1))
    const [overA, overB] = [a, b].map((own) =>
      world.arrivals.filter(({ from }) => from === own).map(({ text }) => text)
    )
    expect(overA).not.toEqual(overB)
  })

  it('copies what it is given: the sender may use its buffer again at once', async () => {
    const world = new World(1)
    const socket = world.socket(a)
    const buffer = encodeUtf8('before')
    world.site.send(socket, world.site.pathTo(socket, { address: s, port: 4646 }) ?? expect.fail(), buffer)
    buffer.fill(0)
    await world.clock.advance(Seconds(1))
    expect(world.texts()).toEqual(['before'])
  })
})

describe('a middlebox', () => {
  it('stops what it is told to, and nothing else, until it is taken away', async () => {
    const world = new World(1)
    const remove = world.network.block(
      ({ transport, path }) => transport === 'udp' && path.remote.address.family === 4
    )
    world.send(world.socket(a), 'stopped')
    await world.clock.advance(Seconds(1))
    expect(world.fates()).toEqual(['sent', 'middlebox'])
    remove()
    world.send(world.socket(a), 'free')
    await world.clock.advance(Seconds(1))
    expect(world.texts()).toEqual(['free'])
  })
})

describe('ingress filtering (BCP 38)', () => {
  it('drops what leaves by a link that does not have its source address', async () => {
    const world = new World(1)
    world.site.sendForged('wan-a', { address: b, port: 1 }, { address: s, port: 4646 }, encodeUtf8('forged'))
    await world.clock.advance(Seconds(1))
    expect(world.fates()).toEqual(['sent', 'ingress-filter'])
    expect(world.site.link('wan-a').up.counts.filtered).toBe(1)
  })

  it('shows the trap of a plain default route: the second provider’s address by the first one’s link', async () => {
    const trapped = new World(1, {}, 'first-interface')
    trapped.send(trapped.socket(b), 'by the wrong link')
    trapped.send(trapped.socket(b, 'wan-b'), 'bound to its link')
    await trapped.clock.advance(Seconds(1))
    expect(trapped.texts()).toEqual(['bound to its link'])
    const routed = new World(1)
    routed.send(routed.socket(b), 'by its own link')
    await routed.clock.advance(Seconds(1))
    expect(routed.site.link('wan-b').up.counts.entered).toBe(1)
    expect(routed.texts()).toEqual(['by its own link'])
  })

  it('lets everything pass where the filter is off', async () => {
    const world = new World(1)
    world.site.link('wan-a').ingressFilter = false
    world.site.sendForged('wan-a', { address: b, port: 1 }, { address: s, port: 4646 }, encodeUtf8('forged'))
    await world.clock.advance(Seconds(1))
    expect(world.arrivals).toEqual([{ at: 10, text: 'forged', from: b, interface: 'eth0' }])
  })

  it('lets a provider-independent prefix pass that is routed to the link', async () => {
    const clock = leaks.clock(new VirtualClock())
    const network = new SimulatedNetwork({ clock, seed: 1 })
    const own = address('192.0.2.200')
    const routedPrefixes = [prefix('192.0.2.128/25')]
    const site = network.addHost('site', { interfaces: [{ name: 'wan', addresses: [a], routedPrefixes }] })
    const server = network.addHost('server', { interfaces: [{ name: 'eth0', addresses: [s] }] })
    const heard: string[] = []
    const listening = server.bind({ address: s, port: 1 }, undefined, ({ bytes }) =>
      heard.push(decodeUtf8(bytes))
    )
    const socket = site.bind({ address: own, port: 1 }, undefined, ({ bytes }) =>
      heard.push(decodeUtf8(bytes))
    )
    site.send(socket, site.pathTo(socket, listening.local) ?? expect.fail('no path'), encodeUtf8('there'))
    server.send(
      listening,
      server.pathTo(listening, socket.local) ?? expect.fail('no path'),
      encodeUtf8('back')
    )
    await clock.advance(Seconds(1))
    expect(heard).toEqual(['there', 'back'])
  })
})

describe('a simulated host', () => {
  it('tells the tap what became of every datagram', async () => {
    const world = new World(1)
    const socket = world.socket(a)
    world.send(socket, 'heard')
    const nobody = world.site.pathTo(socket, { address: s, port: 9 }) ?? expect.fail('no path')
    world.site.send(socket, nobody, encodeUtf8('no such port'))
    const nowhere = world.site.pathTo(socket, { address: address('192.0.2.99'), port: 9 })
    world.site.send(socket, nowhere ?? expect.fail('no path'), encodeUtf8('no such host'))
    await world.clock.advance(Seconds(1))
    const story = world.trace.map(({ at, datagram, fate, bytes, from }) => [
      at,
      datagram,
      fate.kind === 'dropped' ? fate.reason : fate.kind,
      decodeUtf8(bytes),
      from
    ])
    expect(story).toEqual([
      [0, 0, 'sent', 'heard', 'site'],
      [0, 1, 'sent', 'no such port', 'site'],
      [0, 2, 'sent', 'no such host', 'site'],
      [5, 2, 'no-route', 'no such host', 'site'],
      [10, 0, 'delivered', 'heard', 'site'],
      [10, 1, 'no-listener', 'no such port', 'site']
    ])
    expect(world.trace[0]?.path).toEqual({
      local: socket.local,
      remote: { address: s, port: 4646 },
      interface: 'wan-a'
    })
  })

  it('refuses addresses, ports and interfaces that it does not have to give', () => {
    const world = new World(1)
    const bind = (own: IpAddress, port: number, name?: string) => () =>
      world.site.bind({ address: own, port }, name, () => undefined)
    bind(a, 5000)()
    expect(bind(a, 5000)).toThrow('taken')
    expect(bind(address('0.0.0.0'), 5000)).toThrow('taken')
    expect(bind(b, 5000)).not.toThrow()
    expect(bind(s, 0)).toThrow('no address')
    expect(bind(b, 0, 'wan-a')).toThrow('no address')
    expect(bind(a, 0, 'wan-c')).toThrow('no interface')
  })

  it('refuses a second host with the same name or address', () => {
    const world = new World(1)
    expect(() => world.network.addHost('site', { interfaces: [] })).toThrow('there is a host site')
    expect(() => world.network.addHost('other', { interfaces: [{ name: 'eth0', addresses: [s] }] })).toThrow(
      'server has 192.0.2.1 already'
    )
  })

  it('hears nothing at an address that was taken away', async () => {
    const world = new World(1)
    const socket = world.socket(a)
    world.send(socket, 'on its way')
    world.server.interface('eth0').renumber([address('192.0.2.2')])
    await world.clock.advance(Seconds(1))
    expect(world.texts()).toEqual([])
    expect(world.fates()).toEqual(['sent', 'no-route'])
  })

  it('hears itself without touching a link', async () => {
    const world = new World(1, { cut: true })
    const socket = world.server.bind({ address: s, port: 1 }, undefined, () => undefined)
    const path = world.server.pathTo(socket, { address: s, port: 4646 }) ?? expect.fail('no path')
    world.server.send(socket, path, encodeUtf8('myself'))
    await world.clock.advance(Seconds(1))
    expect(world.texts()).toEqual(['myself'])
    expect(world.server.link('eth0').up.counts.entered).toBe(0)
  })
})
