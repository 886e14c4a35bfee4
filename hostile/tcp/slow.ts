import { Method, OptionNumber, encodeFrame, stringOption, uintOption } from '@breakwater/coap'
import { expect } from 'vitest'
import { until } from '../../e2e/dots-process.ts'
import { lifetime, prefixes, requestBody } from '../../e2e/raw-cbor.ts'
import { asDotsCbor, mitigate } from '../../e2e/raw-peer.ts'
import type { Attack } from '../attack.ts'
import { mostHandshakes } from './tls-world.ts'
import type { TlsWorld } from './tls-world.ts'

/** The first bytes of a ClientHello of 508 bytes. */
const startOfHello = Buffer.from('16030102000100', 'hex')

const home = mitigate('cuid=home')

function request(
  method: number,
  path: readonly string[],
  payload: Uint8Array = new Uint8Array(0)
): Uint8Array {
  const options = path.map((segment) => stringOption(OptionNumber.uriPath, segment))
  const format = payload.length === 0 ? [] : [asDotsCbor]
  return encodeFrame({ code: method, token: Uint8Array.of(1), options: [...options, ...format], payload })
}

/** Nine of them are described by 45 kB. */
const mids = [1, 2, 3, 4, 5, 6, 7, 8, 9]

function put(mid: number): Uint8Array {
  const hosts = Array.from({ length: 240 }, (_, index) => `2001:db8:1:${mid}::${index.toString(16)}/128`)
  return request(Method.put, [...home, `mid=${mid}`], requestBody(prefixes(...hosts), lifetime(600)))
}

/** CSM: messages of 4 GB are welcome. */
const csm = encodeFrame({
  code: 0xe1,
  token: new Uint8Array(0),
  options: [uintOption(2, 0xffff_ffff), { number: 4, value: new Uint8Array(0) }],
  payload: new Uint8Array(0)
})

/** Connections that take their time. */
export const slow: readonly Attack<TlsWorld>[] = [
  {
    name: 'handshakes over TCP that nobody ends',
    who: 'stranger',
    after: 'an open file of the server for each, and all places for handshakes',
    source: 'RFC 4732 §2.1; Slowloris',
    answer: 'the end: at once for all beyond the share of one source, for the others when the time is over',
    trace: { counter: 'tls_handshakes_failed_total{timeout}' },
    run: async (world) => {
      const refused = 'tls_connections_refused_total{handshaking-per-source}'
      const before = await world.counted(refused)
      const sockets = world.crowd(3 * mostHandshakes, startOfHello)
      // A byte now and then makes the time no longer.
      const drip = setInterval(() => sockets.forEach((socket) => socket.write(Buffer.of(0))), 200)
      await until(
        async () => ((await world.counted(refused)) - before === 2 * mostHandshakes ? true : undefined),
        () => 'not all are turned away'
      )
      await world.expectPong()
      for (const socket of sockets) await world.expectEnd(socket)
      clearInterval(drip)
    }
  },
  {
    name: 'peer that never reads',
    who: 'client',
    after: 'memory for answers that nobody takes',
    source: 'RFC 8323 §3.2; CVE-2019-9517 (HTTP/2)',
    answer: 'at most 1 MiB waits for it, then its connection is taken away; others are answered meanwhile',
    trace: { counter: 'tls_sessions_overrun_total' },
    run: async (world) => {
      const { socket } = world.tls()
      socket.pause()
      socket.write(csm)
      for (const mid of mids) socket.write(put(mid))
      const overrun = 'tls_sessions_overrun_total'
      const before = await world.counted(overrun)
      const slowest: number[] = []
      await until(
        async () => {
          for (let copy = 0; copy < 50; copy++) if (!socket.destroyed) socket.write(request(Method.get, home))
          const asked = performance.now()
          await world.expectPong()
          slowest.push(performance.now() - asked)
          return (await world.counted(overrun)) > before ? true : undefined
        },
        () => `it goes on: ${slowest.length}`
      )
      expect(Math.max(...slowest)).toBeLessThan(5000)
      socket.resume()
      await world.expectEnd(socket)
      const peer = await world.server.connect('home')
      for (const mid of mids) await peer.ask({ path: [...home, `mid=${mid}`], method: Method.delete })
      await peer.close()
    }
  }
]
