import { decodeUtf8, encodeUtf8, Milliseconds, Seconds, WallTime } from '@breakwater/core'
import type { SocketAddress } from '@breakwater/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { address } from '../../src/builders/address.ts'
import { LeakCheck } from '../../src/leak-check.ts'
import { RecordingHandlers } from '../../src/contracts/recording-handlers.ts'
import { simulatedCertificate } from '../../src/sim/certificate.ts'
import type { SimulatedHost, SimulatedSocket } from '../../src/sim/host.ts'
import { SimulatedNetwork } from '../../src/sim/network.ts'
import { PortTranslation } from '../../src/sim/port-translation.ts'
import type { TraceEntry } from '../../src/sim/trace.ts'
import { VirtualClock } from '../../src/virtual-clock.ts'

/*
 *   site 198.51.100.7 ── NAT (ports) ── net ── 192.0.2.1 server
 */
const inside = address('198.51.100.7')
const outside = address('192.0.2.1')
const service: SocketAddress = { address: outside, port: 4646 }

const leaks = new LeakCheck()
afterEach(() => leaks.check())

let clock: VirtualClock
let network: SimulatedNetwork
let site: SimulatedHost
let server: SimulatedHost
let heard: { readonly text: string; readonly from: SocketAddress }[]
let trace: TraceEntry[]

beforeEach(() => {
  clock = leaks.clock(new VirtualClock())
  network = new SimulatedNetwork({ clock, seed: 1 })
  site = network.addHost('site', { interfaces: [{ name: 'wan', addresses: [inside] }] })
  server = network.addHost('server', { interfaces: [{ name: 'eth0', addresses: [outside] }] })
  heard = []
  trace = []
  network.tap((entry) => trace.push(entry))
})

function listen(host: SimulatedHost, local: SocketAddress): SimulatedSocket {
  return host.bind(local, undefined, ({ bytes, source }) =>
    heard.push({ text: decodeUtf8(bytes), from: source })
  )
}

function send(host: SimulatedHost, socket: SimulatedSocket, remote: SocketAddress, text: string): void {
  const path = host.pathTo(socket, remote)
  if (path !== undefined) host.send(socket, path, encodeUtf8(text))
}

function lastFate(): string {
  const fate = trace.at(-1)?.fate
  return fate?.kind === 'dropped' ? fate.reason : (fate?.kind ?? '')
}

describe('a translator of ports', () => {
  let client: SimulatedSocket
  let service4646: SimulatedSocket

  beforeEach(() => {
    site.link('wan').translation = new PortTranslation()
    client = listen(site, { address: inside, port: 5000 })
    service4646 = listen(server, service)
  })

  it('shows the world another port, the same one every time, and brings answers back', async () => {
    for (const text of ['one', 'two']) send(site, client, service, text)
    await clock.advance(Seconds(1))
    const [first, second] = heard
    expect(first?.from.port).not.toBe(5000)
    expect(second?.from).toEqual(first?.from)
    if (first === undefined) return
    send(server, service4646, first.from, 'answer')
    await clock.advance(Seconds(1))
    expect(heard.map(({ text }) => text)).toEqual(['one', 'two', 'answer'])
  })

  it('shows a new port once it has forgotten its mappings, and lets nothing in by the old one', async () => {
    send(site, client, service, 'before')
    await clock.advance(Seconds(1))
    const [before] = heard
    site.link('wan').translation?.rebind()
    if (before !== undefined) send(server, service4646, before.from, 'too late')
    await clock.advance(Seconds(1))
    expect(lastFate()).toBe('no-mapping')
    send(site, client, service, 'after')
    await clock.advance(Seconds(1))
    expect(heard.map(({ text }) => text)).toEqual(['before', 'after'])
    expect(heard[1]?.from.port).not.toBe(before?.from.port)
  })
})

describe('a link with a small MTU', () => {
  it('loses what is longer, and nothing else', async () => {
    const client = listen(site, { address: inside, port: 5000 })
    listen(server, service)
    site.link('wan').up.change({ longestDatagram: 4 })
    for (const text of ['four', 'fifth']) send(site, client, service, text)
    await clock.advance(Seconds(1))
    expect(heard.map(({ text }) => text)).toEqual(['four'])
    expect(site.link('wan').up.counts.tooLong).toBe(1)
  })
})

describe('a host whose programs stand still', () => {
  it('sends nothing, hears what was kept for it when it goes on, and loses what its buffers cannot hold', async () => {
    const client = listen(site, { address: inside, port: 5000 })
    const socket = listen(server, service)
    server.freeze()
    for (let count = 0; count < 300; count++) send(site, client, service, `${count}`)
    send(server, socket, { address: inside, port: 5000 }, 'never')
    await clock.advance(Seconds(1))
    expect(heard).toEqual([])
    server.thaw()
    await clock.advance(Seconds(1))
    expect(heard.map(({ text }) => text)).toEqual(Array.from({ length: 256 }, (_, count) => `${count}`))
  })

  it('has lost all of it when it crashes instead', async () => {
    const client = listen(site, { address: inside, port: 5000 })
    listen(server, service)
    server.freeze()
    send(site, client, service, 'lost')
    await clock.advance(Seconds(1))
    server.crash()
    listen(server, service)
    await clock.advance(Seconds(1))
    expect(heard).toEqual([])
    expect(server.isFrozen).toBe(false)
  })
})

describe('a simulated certificate with a date', () => {
  it.each([
    ['server', 'certificate-refused'],
    ['client', 'peer-alert']
  ] as const)('lets no handshake succeed after it, when it is the %s’s', async (holder, reason) => {
    const notAfter = WallTime(clock.wallClock() + 10_000)
    const of = (name: 'server' | 'client'): ReturnType<typeof simulatedCertificate> =>
      simulatedCertificate({
        authority: 'authority',
        subject: name,
        dnsNames: ['dots.example'],
        ...(name === holder ? { notAfter } : {})
      })
    const serverLog = new RecordingHandlers()
    const listening = await server.openSecureEndpoint(
      { role: 'server', local: service, certificate: of('server') },
      serverLog
    )
    const log = new RecordingHandlers()
    const endpoint = await site.openSecureEndpoint(
      { role: 'client', local: { address: inside, port: 0 }, credentials: of('client') },
      log
    )
    const first = endpoint.connect({ remote: service, serverName: 'dots.example' })
    await clock.advance(Seconds(9))
    expect(log.identityOf(first)).toBeDefined()
    await clock.advance(Milliseconds(1001))
    endpoint.close(first)
    const second = endpoint.connect({ remote: service, serverName: 'dots.example' })
    await clock.advance(Seconds(5))
    expect(log.failureOf(second)).toBe(reason)
    await Promise.all([endpoint.destroy(), listening.destroy()])
  })
})
