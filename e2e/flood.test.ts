import { createSocket } from 'node:dgram'
import { Method, OptionNumber, uintOption } from '@breakwater/coap'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { until } from './dots-process.ts'
import type { PskServer } from './psk-server.ts'
import { integer } from './raw-cbor.ts'
import { mitigate } from './raw-peer.ts'
import type { RawPeer, RawRequest } from './raw-peer.ts'
import { SettledServer, put, scopeWith } from './settled-server.ts'

let settled: SettledServer
let server: PskServer
let home: RawPeer
let branch: RawPeer
beforeAll(async () => {
  settled = await SettledServer.start()
  ;({ server, home, branch } = settled)
})

afterEach(() => settled.expectUnchanged())

afterAll(() => settled.remove())
/**
 * Asks again every second, as nobody promises that a burst arrives whole, and as who asked too often is told to wait
 * (4.29, RFC 8516).
 */
async function insist(peer: RawPeer, request: RawRequest): Promise<string> {
  const ids: number[] = []
  let sentAt = -Infinity
  return until(
    () => {
      if (performance.now() - sentAt > 1000) {
        sentAt = performance.now()
        ids.push(peer.request(request))
      }
      return ids.map((id) => peer.answerTo(id)?.code).find((code) => code !== undefined && code !== '4.29')
    },
    () => 'no answer, often as it was asked'
  )
}

function linesLogged(): number {
  return server.process?.log.split('\n').length ?? 0
}

describe('too much at once', () => {
  const bursts: Readonly<Record<string, (index: number) => void>> = {
    'requests that are refused': () =>
      home.request({ ...put(scopeWith(100, integer(1))), confirmable: false }),
    'confirmable questions': () => home.request({ path: mitigate('cuid=home'), method: Method.get }),
    'copies of one message': () => home.request({ path: ['x'] }, 0x7777),
    'messages that are none': () => home.send(Uint8Array.of(0x40, Method.put, 0, 1, 0xf0)),
    'observations of one thing': (index) => {
      const path = mitigate('cuid=home', `mid=${index % 2}`)
      home.request({ path, method: Method.get, options: [uintOption(OptionNumber.observe, 0)] })
    }
  }
  for (const [name, send] of Object.entries(bursts))
    it(`4000 ${name}: the server goes on, and neither it nor its log grows with them`, async () => {
      const before = settled.residentMegabytes()
      const lines = linesLogged()
      const arrived = await server.counter('dtls_plaintextsIn')
      for (let index = 0; index < 4000; index++) {
        send(index)
        if (index % 200 === 199) await new Promise((resolve) => setImmediate(resolve))
      }
      expect(await insist(branch, { path: mitigate('cuid=branch'), method: Method.get })).toBe('4.04')
      expect(await insist(home, { path: mitigate('cuid=home'), method: Method.get })).toBe('2.05')
      // A full buffer of the kernel may lose some, as any network.
      expect((await server.counter('dtls_plaintextsIn')) - arrived).toBeGreaterThan(1000)
      // V8 takes what it is given; 100 MB is far below 4000 times anything that is kept.
      expect(settled.residentMegabytes() - before).toBeLessThan(100)
      expect(linesLogged() - lines).toBeLessThan(100)
    })
})

function record(type: number, epoch: number, length: number, body: readonly number[]): Buffer {
  return Buffer.from([type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 1, length >> 8, length & 0xff, ...body])
}

describe('datagrams that are no DTLS', () => {
  const garbage: readonly Buffer[] = [
    Buffer.alloc(0),
    Buffer.from([0x16]),
    Buffer.alloc(1400, 0xa5),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    // A fatal alert, a close_notify, application data and a ChangeCipherSpec in clear text.
    record(21, 0, 2, [2, 40]),
    record(21, 0, 2, [1, 0]),
    record(23, 0, 4, [0x40, Method.put, 0, 1]),
    record(20, 0, 1, [1]),
    // Of an epoch that nobody has begun; cut off; longer than it says; a handshake that is none.
    record(
      23,
      1,
      40,
      Array.from({ length: 40 }, () => 7)
    ),
    record(22, 0, 200, [1, 0, 0]),
    record(22, 0, 3, [1, 0, 0, 9, 9, 9]),
    record(22, 0, 12, [1, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff]),
    record(25, 0, 4, [0, 1, 2, 3])
  ]

  it('from anywhere: nothing comes back but DTLS, and who has a session does not notice', async () => {
    const sessions = (await server.control.sessions()).length
    const socket = createSocket('udp4')
    const answers: Buffer[] = []
    socket.on('message', (bytes) => answers.push(bytes))
    try {
      for (let round = 0; round < 50; round++) {
        for (const bytes of garbage)
          await new Promise<void>((resolve, reject) => {
            socket.send(bytes, server.port, '127.0.0.1', (error) =>
              error === null ? resolve() : reject(error)
            )
          })
        if (round % 10 === 0)
          expect(await insist(home, { path: mitigate('cuid=home'), method: Method.get })).toBe('2.05')
      }
      expect(await insist(home, { path: mitigate('cuid=home', 'mid=1'), method: Method.get })).toBe('2.05')
    } finally {
      socket.close()
    }
    // Alerts and HelloVerifyRequests are all that a stranger may get.
    expect(answers.filter(([type]) => type !== 21 && type !== 22)).toEqual([])
    expect((await server.control.sessions()).length).toBe(sessions)
    const late = await server.connect('branch')
    expect((await late.ask({ path: mitigate('cuid=branch'), method: Method.get })).code).toBe('4.04')
    await late.close()
  })
})

describe('after all that', () => {
  it('the server has complained of nothing, and a good request is granted and stored', () =>
    settled.expectGoodAsNew())
})
