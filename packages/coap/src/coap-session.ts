import { type Entropy, type Instant, type Machine, Seconds } from '@breakwater/core'
import type { BlockwiseOptions } from './blockwise/block-carrier.ts'
import { BlockwiseLayer, type Exchanges } from './blockwise/blockwise-layer.ts'
import { withBlocks } from './blockwise/understood-blocks.ts'
import { DatagramSession } from './datagram-session.ts'
import { deriveTimes } from './message/parameters.ts'
import { basicOptions } from './option-check.ts'
import type { SessionLoad } from './session-load.ts'
import type {
  CoapSessionInput,
  CoapSessionOutput,
  IncomingExchange,
  ObserverHandle,
  TransmissionParameters
} from './session.ts'

/** How one endpoint of CoAP deals with one peer over datagrams. All bounds are per session. */
export interface CoapSessionOptions {
  readonly parameters: TransmissionParameters
  readonly entropy: Entropy
  /** Numbers of the options that the application understands, critical and elective. Default `basicOptions`. */
  readonly understoodOptions?: ReadonlySet<number>
  /** Requests and observations of ours that are open at one time, and pings as many. Default 256. */
  readonly maxExchanges?: number
  /** Requests of the peer's that the application has not answered yet; more are lost. Default 256. */
  readonly maxUnanswered?: number
  /** Observations of the peer's. Default 64. */
  readonly maxObservers?: number
  /**
   * The longest time in which no notification to an observer is Confirmable, whatever `notify` asks for. Default a day
   * (RFC 7641 §4.5); Infinity for applications that know by other means whether their observers live.
   */
  readonly longestUnconfirmedSeconds?: number
  /** Most notifications to an observer without a Confirmable one among them (RFC 7641 §7). Default: any number. */
  readonly mostUnconfirmed?: number
  /**
   * Least time between two Non-confirmable notifications to this peer (RFC 7641 §4.5.1: 3 s, or a round trip where it
   * is known); the latest state of each resource waits for its turn. Default 0: the caller paces them.
   */
  readonly notificationSpacingSeconds?: number
  /**
   * Average rate of Non-confirmable requests to a peer that does not respond (PROBING_RATE, RFC 7252 §4.7: 1 byte/s); what
   * goes beyond waits. Default: any, as the caller keeps to it.
   */
  readonly probingRateBytesPerSecond?: number
  /** Methods that the application serves: others are answered by 4.05. Undefined: it answers them itself. */
  readonly methods?: ReadonlySet<number>
  /** Messages of the peer's that are remembered to tell copies; beyond, the oldest are forgotten. Default 512. */
  readonly maxRemembered?: number
  /** How long the application has for a piggybacked response. Default half of ACK_TIMEOUT. */
  readonly acknowledgementDelaySeconds?: number
  /**
   * Block-wise transfer both ways (RFC 7959): the caller sees whole bodies. Undefined: Block options are not understood,
   * unless `understoodOptions` names them and the application deals with blocks itself.
   */
  readonly blockwise?: BlockwiseOptions
}

/**
 * CoAP with one peer: message layer, requests both ways, Observe both ways, ping (RFC 7252, RFC 7641), and, where it is
 * asked for, block-wise transfer (RFC 7959).
 *
 * It answers by itself: copies of a message, pings, malformed messages, and requests with critical options that the
 * application does not understand. It decides nothing about methods and paths: an unknown method is the application's to
 * answer with 4.05. A Non-confirmable request of ours has no timeout: the caller repeats or cancels it. A Confirmable one
 * that was acknowledged fails when no response follows within EXCHANGE_LIFETIME. A request beyond `maxUnanswered` is
 * dropped as if lost. Multicast is not offered.
 *
 * What a request or response hands up are copies of what the datagram says: they stay valid. Options may be shared with other
 * messages that say the same.
 *
 * `handle` throws an InternalError on a caller's mistake (a message that cannot be encoded, an exchange in use, unusable
 * parameters), never on anything that the peer sends.
 */
export class CoapSession implements Machine<CoapSessionInput, CoapSessionOutput> {
  readonly #session: Exchanges

  constructor(options: CoapSessionOptions) {
    const { blockwise } = options
    this.#session =
      blockwise === undefined
        ? new DatagramSession(options)
        : new BlockwiseLayer(
            new DatagramSession({
              ...options,
              understoodOptions: withBlocks(options.understoodOptions ?? basicOptions)
            }),
            blockwise,
            // RFC 7959 §2.2: SZX 7 is reserved.
            { acceptsBert: false, bertBytes: 0, wholeBytes: blockwise.preferredSize },
            blockwise.timeoutSeconds === undefined
              ? deriveTimes(options.parameters).exchangeLifetime
              : Seconds(blockwise.timeoutSeconds)
          )
  }

  handle(input: CoapSessionInput, now: Instant): void {
    this.#session.handle(input, now)
  }

  /** For an application that has very many observers; undefined when this one has gone. */
  observer(exchange: IncomingExchange): ObserverHandle | undefined {
    return this.#session.observer?.(exchange)
  }

  /** What it holds at present. */
  load(): SessionLoad {
    return this.#session.load()
  }

  poll(): CoapSessionOutput | undefined {
    return this.#session.poll()
  }

  nextTimeout(): Instant | undefined {
    return this.#session.nextTimeout()
  }

  handleTimeout(now: Instant): void {
    this.#session.handleTimeout(now)
  }
}
