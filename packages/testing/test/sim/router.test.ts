import { Seconds, decodeUtf8, encodeUtf8 } from '@breakwater/core'
import type { IpAddress, SocketAddress } from '@breakwater/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { address, prefix } from '../../src/builders/address.ts'
import { LeakCheck } from '../../src/leak-check.ts'
import type { SimulatedHost, SimulatedSocket } from '../../src/sim/host.ts'
import { SimulatedNetwork } from '../../src/sim/network.ts'
import type { SimulatedRouter } from '../../src/sim/router.ts'
import type { TraceEntry } from '../../src/sim/trace.ts'
import { VirtualClock } from '../../src/virtual-clock.ts'

/*
 *                         ┌─ wan-a, 198.51.100.0/24 ─┐
 *   client ── lan ── CPE ─┤                          ├─ net ── 192.0.2.1 server
 *                         └─ wan-b, 203.0.113.0/24 ──┘
 */
const ofA = address('198.51.100.7')
const ofB = address('203.0.113.7')
const service: SocketAddress = { address: address('192.0.2.1'), port: 4646 }

const leaks = new LeakCheck()
afterEach(() => leaks.check())

let clock: VirtualClock
let router: SimulatedRouter
let client: SimulatedHost
let sockets: Map<IpAddress, SimulatedSocket>
let heard: string[]
let trace: TraceEntry[]

beforeEach(() => {
  clock = leaks.clock(new VirtualClock())
  const network = new SimulatedNetwork({ clock, seed: 1 })
  router = network.addRouter('cpe', {
    uplinks: [
      { name: 'wan-a', addresses: [], routedPrefixes: [prefix('198.51.100.0/24')] },
      { name: 'wan-b', addresses: [], routedPrefixes: [prefix('203.0.113.0/24')] }
    ]
  })
  const lan = { name: 'lan', addresses: [ofA, ofB], behind: router }
  client = network.addHost('client', { interfaces: [lan] })
  const server = network.addHost('server', { interfaces: [{ name: 'eth0', addresses: [service.address] }] })
  sockets = new Map()
  heard = []
  trace = []
  network.tap((entry) => trace.push(entry))
  const echo = server.bind(service, undefined, ({ source, bytes }) => {
    const path = server.pathTo(echo, source)
    if (path !== undefined) server.send(echo, path, bytes)
  })
  for (const local of [ofA, ofB]) {
    const socket = client.bind({ address: local, port: 50_000 }, 'lan', ({ bytes }) =>
      heard.push(decodeUtf8(bytes))
    )
    sockets.set(local, socket)
  }
})

async function ask(local: IpAddress, text: string): Promise<void> {
  const socket = sockets.get(local)
  const path = socket && client.pathTo(socket, service)
  if (socket !== undefined && path !== undefined) client.send(socket, path, encodeUtf8(text))
  await clock.advance(Seconds(1))
}

function drops(): string[] {
  return trace.flatMap(({ fate }) => (fate.kind === 'dropped' ? [fate.reason] : []))
}

describe('a router with two uplinks', () => {
  it('sends each source out by the link of its own provider, and gets answers by it', async () => {
    await ask(ofA, 'from a')
    await ask(ofB, 'from b')
    expect(heard).toEqual(['from a', 'from b'])
    expect(drops()).toEqual([])
  })

  it('cannot reach anybody from a source whose uplink is cut, in either direction', async () => {
    router.uplink('wan-b').link.cut('up')
    await ask(ofB, 'lost on its way out')
    router.uplink('wan-b').link.mend('up')
    router.uplink('wan-b').link.cut('down')
    await ask(ofB, 'its answer is lost')
    await ask(ofA, 'from a')
    expect(heard).toEqual(['from a'])
    expect(drops()).toEqual(['cut', 'cut'])
  })

  it('with a plain default route runs into the ingress filter of the other provider (RFC 2827)', async () => {
    router.routing = 'first-uplink'
    await ask(ofA, 'from a')
    await ask(ofB, 'from b')
    expect(heard).toEqual(['from a'])
    expect(drops()).toEqual(['ingress-filter'])
    expect(router.uplink('wan-a').link.up.counts.filtered).toBe(1)
  })

  it('has at least one uplink, and knows them by name', () => {
    const network = new SimulatedNetwork({ clock, seed: 2 })
    expect(() => network.addRouter('none', { uplinks: [] })).toThrow('no uplink')
    expect(() => router.uplink('wan-c')).toThrow('has no uplink wan-c')
    expect(() => router.entryFor(address('8.8.8.8'))).toThrow('no uplink of cpe leads to 8.8.8.8')
  })
})
