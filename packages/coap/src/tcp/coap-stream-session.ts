import { type Entropy, type Instant, InternalError, type Machine, Seconds } from '@breakwater/core'
import type { BlockwiseOptions } from '../blockwise/block-carrier.ts'
import { BlockwiseLayer, type Exchanges } from '../blockwise/blockwise-layer.ts'
import { withBlocks } from '../blockwise/understood-blocks.ts'
import { deriveTimes } from '../message/parameters.ts'
import { basicOptions } from '../option-check.ts'
import type { SessionLoad } from '../session-load.ts'
import type { CoapSessionInput, CoapSessionOutput, TransmissionParameters } from '../session.ts'
import { type Framing, tcpFraming } from './framing.ts'
import { BASE_MESSAGE_BYTES, type Capabilities, type Release, takesBert } from './signal.ts'
import { type LinkEvent, StreamSession } from './stream-session.ts'

/** What `CoapSession` takes, `datagram` being bytes of the stream as they come; and what only a connection has. */
export type CoapStreamInput =
  | CoapSessionInput
  /** End it in order: the peer answers what it has to and closes (RFC 8323 §5.5). */
  | { readonly kind: 'release'; readonly release: Release }
  /** End it at once (RFC 8323 §5.6). */
  | { readonly kind: 'abort'; readonly diagnostic: string }
  /** It has ended: closed by the peer, or broken. */
  | { readonly kind: 'closed' }

/** What `CoapSession` gives, `send` being bytes for the stream; and what only a connection has. */
export type CoapStreamOutput = CoapSessionOutput | LinkEvent

/** How one endpoint of CoAP deals with one peer over a connection. All bounds are per connection. */
export interface CoapStreamSessionOptions {
  /** Only for how long to wait: there is no retransmission on a stream. */
  readonly parameters: TransmissionParameters
  readonly entropy: Entropy
  /** When the connection was established. */
  readonly openedAt: Instant
  /** Numbers of the options that the application understands, critical and elective. Default `basicOptions`. */
  readonly understoodOptions?: ReadonlySet<number>
  /** Requests and observations of ours that are open at one time, and pings as many. Default 256. */
  readonly maxExchanges?: number
  /** Requests of the peer's that the application has not answered yet; more are answered by 4.29. Default 256. */
  readonly maxUnanswered?: number
  /** Observations of the peer's. Default 64. */
  readonly maxObservers?: number
  /** Methods that the application serves: others are answered by 4.05. Undefined: it answers them itself. */
  readonly methods?: ReadonlySet<number>
  /**
   * Longest message that we take, and say so in our CSM. Above 1152 with `blockwise`: BERT blocks (RFC 8323 §6). Default
   * 8448: BERT blocks of 8 KiB.
   */
  readonly maxMessageBytes?: number
  /**
   * How messages lie in what carries them. Default: on a stream of bytes (RFC 8323 §3.2). With `webSocketFraming` each
   * `datagram` is one binary WebSocket message, and so is each `send`.
   */
  readonly framing?: Framing
  /** Whether requests of the peer's are handed up; false: they are answered by 5.01 (RFC 8323 §3.3). Default true. */
  readonly serves?: boolean
  /** How long the peer's CSM may take. Default 30. */
  readonly csmTimeoutSeconds?: number
  /** How long a message may take from its first byte to its last. Default 247 (EXCHANGE_LIFETIME, RFC 7252 §4.8.2). */
  readonly messageTimeoutSeconds?: number
  /** Block-wise transfer both ways (RFC 7959, RFC 8323 §6). */
  readonly blockwise?: BlockwiseOptions
}

/**
 * CoAP with one peer over one TCP or TLS connection (RFC 8323), with the face of `CoapSession`: who drives one can drive
 * the other. `confirmable` only says whether a request fails when no response comes within EXCHANGE_LIFETIME; `repeat`
 * does nothing, as the stream repeats; `cancel` of an observation deregisters it. Our CSM is the first output, before any
 * input. After `close` nothing more comes, and requests fail with `closed`.
 *
 * `handle` throws an InternalError on a caller's mistake, never on anything that the peer sends.
 */
export class CoapStreamSession implements Machine<CoapStreamInput, CoapStreamOutput> {
  readonly #stream: StreamSession
  readonly #session: Exchanges
  readonly #layer: BlockwiseLayer | undefined

  constructor(options: CoapStreamSessionOptions) {
    const own = ownCapabilities(options)
    const { blockwise, understoodOptions = basicOptions } = options
    this.#stream = new StreamSession({
      parameters: options.parameters,
      entropy: options.entropy,
      understoodOptions: blockwise === undefined ? understoodOptions : withBlocks(understoodOptions),
      maxExchanges: options.maxExchanges ?? 256,
      maxUnanswered: options.maxUnanswered ?? 256,
      maxObservers: options.maxObservers ?? 64,
      methods: options.methods,
      own,
      framing: options.framing ?? tcpFraming,
      serves: options.serves ?? true,
      openedAt: options.openedAt,
      csmPatience: Seconds(options.csmTimeoutSeconds ?? 30),
      messagePatience: Seconds(options.messageTimeoutSeconds ?? 247)
    })
    this.#layer = blockwise === undefined ? undefined : this.#blockwise(own, blockwise, options.parameters)
    this.#session = this.#layer ?? this.#stream
  }

  #blockwise(
    own: Capabilities,
    options: BlockwiseOptions,
    parameters: TransmissionParameters
  ): BlockwiseLayer {
    const timeout =
      options.timeoutSeconds === undefined
        ? deriveTimes(parameters).exchangeLifetime
        : Seconds(options.timeoutSeconds)
    return new BlockwiseLayer(this.#stream, options, new StreamCarrier(this.#stream, takesBert(own)), timeout)
  }

  handle(input: CoapStreamInput, now: Instant): void {
    if (input.kind === 'release') this.#stream.release(input.release, now)
    else if (input.kind === 'abort') this.#stream.abort(input.diagnostic)
    else if (input.kind === 'closed') this.#stream.closed()
    else {
      this.#session.handle(input, now)
      return
    }
    this.#layer?.settle(now)
  }

  /** What it holds at present. */
  load(): SessionLoad {
    return this.#session.load()
  }

  poll(): CoapStreamOutput | undefined {
    return this.#session.poll() ?? this.#stream.pollEvent()
  }

  nextTimeout(): Instant | undefined {
    return this.#session.nextTimeout()
  }

  handleTimeout(now: Instant): void {
    this.#session.handleTimeout(now)
  }
}

/** Bytes for header, token and options beside a block: what RFC 7252 §4.6 reckons with, and more where there is room. */
const OVERHEAD_BYTES = 128
const AMPLE_OVERHEAD_BYTES = 256

/** How long blocks may be that go to this peer. */
class StreamCarrier {
  readonly #stream: StreamSession
  readonly acceptsBert: boolean

  constructor(stream: StreamSession, acceptsBert: boolean) {
    this.#stream = stream
    this.acceptsBert = acceptsBert
  }

  get bertBytes(): number {
    const { peer } = this.#stream
    return takesBert(peer) ? Math.floor((peer.maxMessageBytes - AMPLE_OVERHEAD_BYTES) / 1024) * 1024 : 0
  }

  get wholeBytes(): number {
    const { maxMessageBytes } = this.#stream.peer
    const ample = maxMessageBytes - AMPLE_OVERHEAD_BYTES
    return Math.max(16, ample >= 1024 ? ample : Math.min(1024, maxMessageBytes - OVERHEAD_BYTES))
  }
}

function ownCapabilities(options: CoapStreamSessionOptions): Capabilities {
  const { maxMessageBytes = 8448, blockwise } = options
  if (!Number.isInteger(maxMessageBytes) || maxMessageBytes < BASE_MESSAGE_BYTES || maxMessageBytes > 2 ** 24)
    throw new InternalError('COAP_PARAMETERS_INVALID', `maxMessageBytes ${maxMessageBytes}`)
  return { maxMessageBytes, blockwise: blockwise !== undefined }
}
