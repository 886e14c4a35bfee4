import type { Packet } from 'dns-packet'
import type { Socket } from 'node:net'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { MessageReader, framed, openConnection } from './connection.ts'
import { failed } from './name-server.ts'
import type { NameServer, NameServerTools, NameServerWay } from './name-server.ts'
import { decodePacket, encodeQuestion, isAnswerTo, randomQuestionId } from './question.ts'
import type { DnsQuestion } from './question.ts'
import type { TlsNameServerOptions } from './tls-resolver.ts'

interface OpenQuestion {
  readonly question: DnsQuestion
  readonly resolve: (packet: Packet) => void
  readonly reject: (reason: string) => void
}

/** Questions on one connection that are not answered yet. */
const MOST_OPEN = 512

/** A connection without questions stays for so long: the next name of an attack is not far (RFC 7858 §3.4). */
const IDLE_MILLISECONDS = 10_000

/** A TCP connection that does not come about. */
const CONNECT_MILLISECONDS = 10_000

/** One connection, from the first question until it is lost. */
interface Connection {
  stream: Promise<TLSSocket>
  close: () => void
}

/** One name server, with one connection as long as there are questions; answers may come in any order (RFC 7766 §7). */
export class TlsNameServer implements NameServer {
  readonly #options: TlsNameServerOptions
  readonly #tools: NameServerTools
  readonly #open = new Map<number, OpenQuestion>()
  #connection: Connection | undefined

  constructor(options: TlsNameServerOptions, tools: NameServerTools) {
    this.#options = options
    this.#tools = tools
  }

  ask(question: DnsQuestion, milliseconds: number, over: AbortSignal): Promise<Packet> {
    const { name } = this.#options
    if (this.#open.size >= MOST_OPEN) return Promise.reject(failed(name, 'too many questions are open'))
    const id = this.#freeId()
    return new Promise<Packet>((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer)
        over.removeEventListener('abort', giveUp)
        if (this.#open.get(id) === open) this.#open.delete(id)
        settle()
      }
      const open: OpenQuestion = {
        question,
        resolve: (packet) => end(() => resolve(packet)),
        reject: (reason) => end(() => reject(failed(name, reason)))
      }
      const giveUp = (): void => open.reject('nobody waits for it any more')
      const timer = setTimeout(() => open.reject('no answer in time'), milliseconds)
      over.addEventListener('abort', giveUp)
      this.#open.set(id, open)
      if (over.aborted) giveUp()
      else void this.#send(framed(encodeQuestion(question, id, false)))
    })
  }

  get way(): NameServerWay {
    return this.#options
  }

  close(): void {
    this.#lose(this.#connection, 'closed')
  }

  async #send(message: Buffer): Promise<void> {
    this.#connection ??= this.#connect()
    const connection = this.#connection
    try {
      const stream = await connection.stream
      this.#tools.observe?.('asked-tls')
      stream.write(message)
    } catch (error) {
      this.#lose(connection, error instanceof Error ? error.message : String(error))
    }
  }

  #connect(): Connection {
    let isClosed = false
    let socket: Socket | undefined
    const open = async (): Promise<TLSSocket> => {
      const opened = await openConnection(this.#options, this.#tools.sockets, CONNECT_MILLISECONDS)
      socket = opened
      const stream = this.#secure(opened, connection)
      if (isClosed) connection.close()
      return stream
    }
    const connection: Connection = {
      stream: Promise.resolve().then(open),
      close: () => {
        isClosed = true
        socket?.destroy()
      }
    }
    return connection
  }

  #secure(socket: Socket, connection: Connection): TLSSocket {
    const { name, trustAnchors } = this.#options
    const stream = connect({
      socket,
      servername: name,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['dot'],
      ...(trustAnchors === undefined ? {} : { ca: trustAnchors })
    })
    const reader = new MessageReader()
    socket.on('error', (error) => this.#lose(connection, error.message))
    stream.setTimeout(IDLE_MILLISECONDS, () => this.#lose(connection, 'idle'))
    stream.on('data', (bytes: Buffer) => {
      for (const message of reader.take(bytes)) this.#answer(message, connection)
    })
    stream.on('error', (error) => this.#lose(connection, error.message))
    stream.on('close', () => this.#lose(connection, 'the connection closed'))
    // A process that has nothing else to do need not wait for it.
    socket.unref()
    return stream
  }

  /** An answer that does not repeat its question answers another one. */
  #answer(message: Buffer, connection: Connection): void {
    const packet = decodePacket(message)
    if (packet === undefined) {
      this.#tools.observe?.('malformed')
      this.#lose(connection, 'it sent what is no DNS message')
      return
    }
    const open = this.#open.get(packet.id ?? -1)
    if (open !== undefined && isAnswerTo(packet, open.question)) open.resolve(packet)
    else this.#tools.observe?.('stray')
  }

  #lose(connection: Connection | undefined, reason: string): void {
    if (connection === undefined || this.#connection !== connection) return
    this.#connection = undefined
    connection.close()
    for (const question of this.#open.values()) question.reject(reason)
  }

  #freeId(): number {
    let id = randomQuestionId()
    while (this.#open.has(id)) id = randomQuestionId()
    return id
  }
}
