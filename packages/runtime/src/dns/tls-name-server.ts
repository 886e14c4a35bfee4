import { UnavailableError, formatIpAddress } from '@breakwater/core'
import { RECURSION_DESIRED, decode, streamEncode } from 'dns-packet'
import type { Packet } from 'dns-packet'
import { randomInt } from 'node:crypto'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import type { TlsNameServerOptions } from './tls-resolver.ts'

interface Question {
  readonly name: string
  readonly type: 'A' | 'AAAA'
  readonly resolve: (packet: Packet) => void
  readonly reject: (error: UnavailableError) => void
}

/** Questions on one connection that are not answered yet. */
const MOST_OPEN = 512

/** A connection without questions stays for so long: the next name of an attack is not far (RFC 7858 §3.4). */
const IDLE_MILLISECONDS = 10_000

/** RFC 7858 §3.3: a message stands behind two bytes of its length. */
const LENGTH_BYTES = 2

/** One name server, with one connection as long as there are questions; answers may come in any order (RFC 7766 §7). */
export class TlsNameServer {
  readonly #options: TlsNameServerOptions
  readonly #open = new Map<number, Question>()
  #socket: TLSSocket | undefined
  #received: Buffer = Buffer.alloc(0)

  constructor(options: TlsNameServerOptions) {
    this.#options = options
  }

  /** Rejects with UnavailableError when there is no answer within the time. */
  ask(name: string, type: Question['type'], milliseconds: number): Promise<Packet> {
    if (this.#open.size >= MOST_OPEN)
      return Promise.reject(failed(this.#options.name, 'too many questions are open'))
    const id = this.#freeId()
    return new Promise<Packet>((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer)
        if (this.#open.get(id) === question) this.#open.delete(id)
        settle()
      }
      const question: Question = {
        name,
        type,
        resolve: (packet) => end(() => resolve(packet)),
        reject: (error) => end(() => reject(error))
      }
      const timer = setTimeout(
        () => question.reject(failed(this.#options.name, 'no answer in time')),
        milliseconds
      )
      this.#open.set(id, question)
      this.#connection().write(
        streamEncode({ type: 'query', id, flags: RECURSION_DESIRED, questions: [{ type, name }] })
      )
    })
  }

  close(): void {
    this.#lose('closed')
  }

  #connection(): TLSSocket {
    if (this.#socket !== undefined) return this.#socket
    const { address, name, trustAnchors, sources } = this.#options
    const source = sources?.find(({ family }) => family === address.address.family)
    const socket = connect({
      host: formatIpAddress(address.address),
      port: address.port,
      servername: name,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['dot'],
      ...(source === undefined ? {} : { localAddress: formatIpAddress(source) }),
      ...(trustAnchors === undefined ? {} : { ca: trustAnchors })
    })
    const lose = (reason: string): void => {
      if (this.#socket === socket) this.#lose(reason)
    }
    socket.setTimeout(IDLE_MILLISECONDS, () => lose('idle'))
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('error', (error) => lose(error.message))
    socket.on('close', () => lose('the connection closed'))
    // A process that has nothing else to do need not wait for it.
    socket.unref()
    this.#received = Buffer.alloc(0)
    this.#socket = socket
    return socket
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes])
    while (this.#received.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.#received.readUInt16BE(0)
      if (this.#received.length < end) return
      const message = this.#received.subarray(LENGTH_BYTES, end)
      this.#received = this.#received.subarray(end)
      this.#answer(message)
    }
  }

  /** An answer that does not repeat its question answers another one. */
  #answer(message: Buffer): void {
    const packet = decoded(message)
    if (packet === undefined) {
      this.#lose('it sent what is no DNS message')
      return
    }
    const question = this.#open.get(packet.id ?? -1)
    const [asked] = packet.questions ?? []
    if (packet.type !== 'response' || question === undefined || asked === undefined) return
    if (asked.type !== question.type || asked.name.toLowerCase() !== question.name.toLowerCase()) return
    question.resolve(packet)
  }

  #lose(reason: string): void {
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
    const error = failed(this.#options.name, reason)
    for (const question of this.#open.values()) question.reject(error)
  }

  #freeId(): number {
    let id = randomInt(0x1_0000)
    while (this.#open.has(id)) id = randomInt(0x1_0000)
    return id
  }
}

function decoded(message: Buffer): Packet | undefined {
  try {
    return decode(message)
  } catch {
    return undefined
  }
}

function failed(server: string, reason: string): UnavailableError {
  return new UnavailableError('DNS_FAILED', `name server ${server}: ${reason}`, true)
}
