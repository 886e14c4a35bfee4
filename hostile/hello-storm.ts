// A process of its own: hellos to a server on loopback, from many addresses of loopback, at a bounded rate, until it is told
// to stop. `node hello-storm.ts PORT PER_SECOND spoofed|verified`
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import {
  ContentType,
  HandshakeType,
  handshakeMessage,
  uint,
  vector
} from '../packages/dtls/test/dtls-wire.ts'
import { extension, record, version } from './dtls/forged.ts'

const [port = 0, perSecond = 0] = process.argv.slice(2, 4).map(Number)
const isVerified = process.argv[4] === 'verified'
const SOURCES = 200
/** Header of the record, of the message, version and length of the cookie (RFC 6347 §4.2.1). */
const COOKIE_AT = 28
const HELLO_VERIFY_REQUEST = 3

/** ECDHE_PSK with AES-128-GCM; groups X25519 and P-256: the server has to make a key for each that is verified. */
const suites = vector(uint(0xd001, 2), 2)
const groups = vector(extension(10, vector(Buffer.concat([uint(29, 2), uint(23, 2)]), 2)), 2)

function hello(random: Uint8Array, cookie: Uint8Array, sequence: number): Buffer {
  const start = [uint(version, 2), random, vector(Buffer.alloc(0), 1), vector(cookie, 1)]
  const body = Buffer.concat([...start, suites, vector(Buffer.of(0), 1), groups])
  return record(ContentType.handshake, handshakeMessage(HandshakeType.clientHello, sequence, body), sequence)
}

const first = hello(randomBytes(32), Buffer.alloc(0), 0)

/** Sends one hello, and answers for its address where the flood is of those that are verified. */
function attackFrom(socket: Socket): void {
  if (!isVerified) {
    socket.send(first, port, '127.0.0.1')
    return
  }
  const random = randomBytes(32)
  socket.once('message', (answer: Buffer) => {
    if (answer[13] === HELLO_VERIFY_REQUEST)
      socket.send(hello(random, answer.subarray(COOKIE_AT), 1), port, '127.0.0.1')
  })
  socket.send(hello(random, Buffer.alloc(0), 0), port, '127.0.0.1')
}

/** For each handshake an address and port of its own, as far as there are any. */
const sockets = await Promise.all(
  Array.from({ length: isVerified ? 1000 : SOURCES }, async (_, index) => {
    const socket = createSocket('udp4').on('error', () => undefined)
    await new Promise<void>((resolve) => socket.bind(0, `127.0.2.${1 + (index % SOURCES)}`, resolve))
    return socket
  })
)

const started = performance.now()
let sent = 0
const timer = setInterval(() => {
  const due = ((performance.now() - started) / 1000) * perSecond
  // A machine that stood still does not catch up all at once.
  if (due - sent > perSecond / 10) sent = due - perSecond / 10
  for (; sent < due; sent++) {
    const socket = sockets[Math.floor(sent) % sockets.length]
    if (socket !== undefined) attackFrom(socket)
  }
}, 5)
process.stdout.write('ready\n')
process.on('SIGTERM', () => {
  clearInterval(timer)
  for (const socket of sockets) socket.close()
})
