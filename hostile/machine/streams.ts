import { Method, encodeFrame } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import type { PeerId } from '@breakwater/core'
import { mitigatePath } from '@breakwater/dots'
import { encodeSignal } from '@breakwater/model'
import { expect } from 'vitest'
import { asDotsCbor } from '../../e2e/raw-peer.ts'
import { CUID, certificate, mid } from '../../packages/dots/test/server/server-bed.ts'
import { by, target } from './client-attack.ts'
import type { ClientAttack } from './client-attack.ts'
import type { MachineWorld } from './machine-world.ts'
import { RawStream } from './raw-stream.ts'

const endedBy = (reason: string): { counter: string } => ({
  counter: `dots_server_streams_ended_total{${reason}}`
})

const dots = '/.well-known/dots'
const ABORT = 'Abort, and the end of the connection'

/** The same thing said without end; it is the stream that ends. */
function flood(name: string, source: string, line: string, mostAnswers: number): ClientAttack {
  const answer = 'a thousand are borne, then Abort'
  return by(
    name,
    'the time of the server, below the counting of requests',
    source,
    answer,
    endedBy('flood'),
    (world) => {
      const stream = new RawStream(world)
      const piece = Array.from({ length: 200 }, () => line)
      for (let round = 0; round < 100 && !stream.hasEnded; round++) stream.say(...piece)
      expect(stream.hasEnded).toBe(true)
      expect(stream.answers.length).toBeLessThanOrEqual(mostAnswers)
      expect(stream.answers.at(-1)).toMatch(/^ABORT/)
    }
  )
}

/** Mitigations whose description does not fit into one message. */
function muchToTell(world: MachineWorld): void {
  for (let index = 1; index <= 200; index++) {
    world.attacker.put(index, target(`2001:db8::${index.toString(16)}/128`))
    world.bed.advance(Seconds(0.05))
  }
}

const all = `GET (aa) ${dots}/mitigate/cuid=${CUID}`

const putFrame = encodeFrame({
  code: Method.put,
  token: Uint8Array.of(0xbb),
  options: [...mitigatePath(CUID, mid(1)), asDotsCbor],
  payload: encodeSignal({ mitigationScope: { scope: [target('192.0.2.1/32')] } })
})

/** CoAP over TCP (RFC 8323), by who has every right to the connection. */
export const streams: readonly ClientAttack[] = [
  by(
    'a byte now and then',
    'a connection for ever, for a byte in five seconds',
    'Slowloris; RFC 8323 §3.2',
    'Abort, 247 s after the message began',
    endedBy('protocol'),
    (world) => {
      const stream = new RawStream(world)
      // A frame of 8,000 bytes.
      stream.say(Uint8Array.of(0xe0, (8000 - 269) >> 8, (8000 - 269) & 0xff, 0x03))
      let seconds = 0
      for (; seconds < 3600 && !stream.hasEnded; seconds += 5) {
        stream.say(Uint8Array.of(0))
        world.bed.advance(Seconds(5))
      }
      expect(seconds).toBeGreaterThan(200)
      expect(seconds).toBeLessThanOrEqual(250)
    }
  ),
  by(
    'half a request instead of a CSM',
    'a connection that nobody has agreed on anything for',
    'RFC 8323 §3.3',
    'Abort after 30 s, in which it waits for the other half',
    endedBy('protocol'),
    (world) => {
      const { path } = world.bed
      const peer = 99 as PeerId
      const identity = certificate('client.example.net')
      world.bed.feed({ kind: 'session-established', peer, identity, path, transport: 'tcp' })
      // GET with a token of one byte, which does not come.
      world.bed.feed({ kind: 'datagram', peer, bytes: Uint8Array.of(0x01, 0x01) })
      world.bed.advance(Seconds(29))
      expect(world.bed.closed).toEqual([])
      world.bed.advance(Seconds(2))
      expect(world.bed.closed).toEqual([peer])
    }
  ),
  flood('Ping flood', 'RFC 8323 §5.4; CVE-2019-9512 (HTTP/2)', 'PING (aa)', 1001),
  flood('CSM storm', 'RFC 8323 §5.3; CVE-2019-9515 (HTTP/2)', 'CSM #2=2000', 1),
  flood('empty messages without end', 'RFC 8323 §3.4; CVE-2019-9518 (HTTP/2)', 'EMPTY', 1),
  flood('answers to what nobody asked', 'RFC 8323 §7.2', '2.05 (abcd) <100>', 1),
  flood('options that nobody knows, by the thousand', 'RFC 7252 §5.4.1', `GET (aa) ${dots} #9=01`, 1001),
  by(
    'Pings that wait',
    'memory for Pongs that are held back until a request is answered',
    'RFC 8323 §5.4.1',
    '16 are held back, the others answered without Custody; then Abort',
    endedBy('flood'),
    (world) => {
      // The disk is slow: nothing is acknowledged.
      world.bed.hold.add('store')
      const stream = new RawStream(world)
      stream.say(putFrame, ...Array.from({ length: 100 }, () => 'PING (aa) #2='))
      expect(stream.answers).toHaveLength(84)
      world.bed.release()
      expect(stream.answers).toHaveLength(101)
      stream.say(...Array.from({ length: 2000 }, () => 'PING (aa) #2='))
      expect(stream.hasEnded).toBe(true)
    }
  ),
  by(
    'Max-Message-Size of nothing',
    'answers that can never be sent, and are kept',
    'RFC 8323 §5.3.1, §5.6',
    'Abort with Bad-CSM-Option',
    endedBy('protocol'),
    (world) => {
      for (const size of ['', '00', '01', '1f', '0000001f']) {
        const stream = new RawStream(world)
        stream.say(`CSM #2=${size}`)
        expect(stream.hasEnded, size).toBe(true)
        expect(stream.answers[0]).toMatch(/^ABORT #2=02 /)
      }
    }
  ),
  by(
    'Max-Message-Size of 4 GB',
    'memory for a message of that size',
    'RFC 8323 §5.3.1, §6',
    '2.05, as long as what there is to tell',
    'answered',
    (world) => {
      muchToTell(world)
      const stream = new RawStream(world)
      stream.say('CSM #2=ffffffff #4=', all)
      expect(stream.answers).toHaveLength(1)
      expect(stream.pieces.at(-1)?.length).toBeLessThanOrEqual(49_152 + 256)
    }
  ),
  by(
    'Max-Message-Size that shrinks',
    'more than was agreed on, by a change in the middle of a transfer',
    'RFC 8323 §5.3.1, §6.1',
    'blocks that fit, or 5.00',
    'answered',
    (world) => {
      muchToTell(world)
      const stream = new RawStream(world)
      stream.say('CSM #2=2000 #4=', all)
      expect(stream.pieces.at(-1)?.length).toBeGreaterThan(4000)
      for (const [size, most] of [
        ['0480', 1152],
        ['0100', 256],
        ['20', 32]
      ] as const) {
        stream.say(`CSM #2=${size}`)
        const before = stream.pieces.length
        for (const block of ['2:1/0/BERT', '2:1/0/1024', '2:2/0/16']) stream.say(`${all} ${block}`)
        for (const piece of stream.pieces.slice(before)) expect(piece.length).toBeLessThanOrEqual(most)
      }
      expect(stream.hasEnded).toBe(false)
    }
  ),
  by(
    'Abort that is no Abort',
    'a session that is left half open',
    'RFC 8323 §5.6, §5.2',
    'the end of the connection',
    endedBy('aborted-by-peer'),
    (world) => {
      const garbage = Buffer.concat([Buffer.of(0xff), Buffer.alloc(200, 0xfe)])
      for (const abort of [
        Buffer.concat([Buffer.of(0xd0, 201 - 13, 0xe5), garbage]),
        'ABORT #2=ffff #100=01'
      ]) {
        const stream = new RawStream(world)
        stream.say(abort)
        expect(stream.hasEnded).toBe(true)
        expect(stream.answers).toEqual([])
      }
      expect(new RawStream(world, 'ABORT #1=').hasEnded).toBe(true)
    }
  ),
  by(
    'CSM of critical options',
    'a peer that goes on regardless, later than at the beginning',
    'RFC 8323 §5.3, §5.2',
    ABORT,
    endedBy('protocol'),
    (world) => {
      for (const option of ['#1=', '#3=01', '#65535=', '#4=01', '#2=0000000480']) {
        const stream = new RawStream(world, 'PING (aa)')
        stream.say(`CSM ${option}`)
        expect(stream.hasEnded, option).toBe(true)
        expect(stream.answers.at(-1)).toMatch(/^ABORT #2=/)
      }
    }
  ),
  by(
    'Release, and no end',
    'a connection that was said to be over',
    'RFC 8323 §5.5',
    'the server closes it, whatever the Release says',
    endedBy('released'),
    (world) => {
      for (const release of ['RELEASE', 'RELEASE #4=ffffff', 'RELEASE #2=ff #2=6578616d706c65 #4=01020304'])
        expect(new RawStream(world, release).hasEnded, release).toBe(true)
    }
  )
]
