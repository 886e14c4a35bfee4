import { formatIpAddress } from '@breakwater/core'
import type { Packet } from 'dns-packet'
import { createSocket } from 'node:dgram'
import type { Socket as UdpSocket } from 'node:dgram'
import { MessageReader, framed, openConnection } from './connection.ts'
import { boundTo, describeWay, failed, unboundable } from './name-server.ts'
import type { NameServer, NameServerTools, NameServerWay } from './name-server.ts'
import {
  decodePacket,
  encodeQuestion,
  isAnswerTo,
  isTruncated,
  randomQuestionId,
  refusesExtension
} from './question.ts'
import type { DnsQuestion } from './question.ts'

/** How a wait ends, besides by time and by who asked. */
interface Wait {
  readonly resolve: (packet: Packet) => void
  readonly reject: (error: Error) => void
}

/** Opens a socket and asks; returns what closes it. */
type Begin = (wait: Wait) => (() => void) | Promise<() => void>

/**
 * A name server over UDP, and over TCP where its answer does not fit a datagram (RFC 7766 §5). Each question has a socket and
 * a port of its own, connected to the server: the kernel takes answers from nobody else (RFC 5452 §9).
 */
export class PlainNameServer implements NameServer {
  readonly way: NameServerWay
  readonly #tools: NameServerTools

  constructor(way: NameServerWay, tools: NameServerTools) {
    this.way = way
    this.#tools = tools
  }

  async ask(question: DnsQuestion, milliseconds: number, over: AbortSignal): Promise<Packet> {
    const end = performance.now() + milliseconds
    const left = (): number => Math.max(1, end - performance.now())
    let packet = await this.#askByDatagram(question, true, milliseconds, over)
    if (refusesExtension(packet)) packet = await this.#askByDatagram(question, false, left(), over)
    return isTruncated(packet) ? this.#askByStream(question, left(), over) : packet
  }

  close(): void {
    // Nothing outlives its question.
  }

  #askByDatagram(
    question: DnsQuestion,
    extended: boolean,
    milliseconds: number,
    over: AbortSignal
  ): Promise<Packet> {
    const id = randomQuestionId()
    return this.#wait(milliseconds, over, (wait) => {
      const { address } = this.way
      const socket = this.#datagramSocket()
      socket.on('error', wait.reject)
      socket.on('message', (bytes) => this.#judge(bytes, id, question, wait))
      socket.once('connect', () => {
        this.#tools.observe?.('asked-udp')
        socket.send(encodeQuestion(question, id, extended))
      })
      socket.connect(address.port, formatIpAddress(address.address))
      return () => socket.close()
    })
  }

  #datagramSocket(): UdpSocket {
    const type = this.way.address.address.family === 6 ? 'udp6' : 'udp4'
    const bound = boundTo(this.way)
    const { sockets } = this.#tools
    const socket = createSocket(type)
    if (bound !== undefined && sockets !== undefined) return socket.bind({ fd: sockets.openUdp(bound) })
    if (this.way.interface !== undefined) throw unboundable(this.way)
    return bound === undefined ? socket : socket.bind(0, formatIpAddress(bound.local.address))
  }

  #askByStream(question: DnsQuestion, milliseconds: number, over: AbortSignal): Promise<Packet> {
    const id = randomQuestionId()
    return this.#wait(milliseconds, over, async (wait) => {
      const socket = await openConnection(this.way, this.#tools.sockets, milliseconds)
      const reader = new MessageReader()
      socket.on('error', wait.reject)
      socket.on('close', () => wait.reject(new Error('the connection closed')))
      socket.on('data', (bytes: Buffer) => {
        for (const message of reader.take(bytes)) this.#judge(message, id, question, wait)
      })
      this.#tools.observe?.('asked-tcp')
      socket.write(framed(encodeQuestion(question, id, false)))
      return () => socket.destroy()
    })
  }

  /** Others may be listened to until the right one comes: a forged answer must not keep the true one out (RFC 5452 §9.1). */
  #judge(bytes: Buffer, id: number, question: DnsQuestion, wait: Wait): void {
    const packet = decodePacket(bytes)
    if (packet === undefined) this.#tools.observe?.('malformed')
    else if (packet.id !== id || !isAnswerTo(packet, question)) this.#tools.observe?.('stray')
    else wait.resolve(packet)
  }

  #wait(milliseconds: number, over: AbortSignal, begin: Begin): Promise<Packet> {
    const server = describeWay(this.way)
    const waiting = new AbortController()
    return new Promise<Packet>((resolve, reject) => {
      const refuse = (error: Error): void => reject(failed(server, error.message))
      const giveUp = (): void => reject(failed(server, 'nobody waits for it any more'))
      const timer = setTimeout(() => reject(failed(server, 'no answer in time')), milliseconds)
      over.addEventListener('abort', giveUp)
      if (over.aborted) giveUp()
      const opening = Promise.resolve({ resolve, reject: refuse }).then(begin)
      opening.catch(refuse)
      waiting.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        over.removeEventListener('abort', giveUp)
        // Also what opens too late.
        opening.then((close) => close()).catch(() => undefined)
      })
    }).finally(() => waiting.abort())
  }
}
