import { address } from '@breakwater/testing'
import { decode, encode } from 'dns-packet'
import type { Answer, Packet } from 'dns-packet'
import type { RemoteInfo, Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import type { NameServerWay } from '../../src/index.ts'
import { onSamePort } from './same-port.ts'

/** What a scripted name server does with a question. */
export type Script = (question: Packet, reply: (packet: Packet) => void, how: Asked) => void

export interface Asked {
  readonly transport: 'udp' | 'tcp'
  /** Counts from 0. */
  readonly index: number
  /** Over UDP: sends bytes as they are, or from another port. */
  readonly raw?: (bytes: Uint8Array, from?: UdpSocket) => void
}

/** A name server that says what a test wants. */
export class ScriptedNameServer {
  readonly asked: Asked[] = []
  readonly #script: Script
  readonly #udp: UdpSocket
  readonly #tcp: Server
  readonly #streams = new Set<Socket>()

  private constructor(script: Script, udp: UdpSocket, tcp: Server) {
    this.#script = script
    this.#udp = udp
    this.#tcp = tcp
    udp.on('message', (bytes, from) => this.#overUdp(bytes, from))
    tcp.on('connection', (stream) => this.#overTcp(stream))
  }

  static async start(script: Script): Promise<ScriptedNameServer> {
    const { udp, tcp } = await onSamePort(() => undefined)
    return new ScriptedNameServer(script, udp, tcp)
  }

  get way(): NameServerWay {
    return { address: { address: address('127.0.0.1'), port: this.#udp.address().port } }
  }

  async close(): Promise<void> {
    this.#udp.close()
    for (const stream of this.#streams) stream.destroy()
    this.#tcp.close()
    await once(this.#tcp, 'close')
  }

  #overUdp(bytes: Buffer, from: RemoteInfo): void {
    const raw = (message: Uint8Array, socket = this.#udp): void => {
      socket.send(message, from.port, from.address)
    }
    this.#take(bytes, (packet) => raw(encode(packet)), { transport: 'udp', raw })
  }

  #overTcp(stream: Socket): void {
    this.#streams.add(stream)
    stream.on('error', () => undefined)
    stream.on('data', (bytes: Buffer) =>
      this.#take(
        bytes.subarray(2),
        (packet) => {
          const message = encode(packet)
          stream.write(Buffer.concat([Buffer.of(message.length >> 8, message.length & 0xff), message]))
        },
        { transport: 'tcp' }
      )
    )
  }

  #take(bytes: Buffer, reply: (packet: Packet) => void, how: Omit<Asked, 'index'>): void {
    const asked = { ...how, index: this.asked.length }
    this.asked.push(asked)
    this.#script(decode(bytes), reply, asked)
  }
}

/** The response to a question, with these records or with a code. */
export function responseTo(question: Packet, answers: readonly Answer[] = [], flags = 0): Packet {
  return {
    type: 'response',
    id: question.id ?? 0,
    flags,
    questions: question.questions ?? [],
    answers: [...answers]
  }
}

/** One address for A, none for AAAA. */
export function oneAddress(question: Packet, data = '192.0.2.1'): Packet {
  const [asked] = question.questions ?? []
  if (asked?.type !== 'A') return responseTo(question)
  return responseTo(question, [{ type: 'A', name: asked.name, ttl: 60, data }])
}
