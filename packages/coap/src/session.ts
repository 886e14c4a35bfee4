import type { DecodeError, Instant, OutgoingBatch, PeerId } from '@breakwater/core'
import type { CoapOption } from './message.ts'

/**
 * The face of `CoapSession`, the machine that speaks CoAP with one peer over one secure session: message layer,
 * deduplication, request and response by token, Observe, ping. It knows nothing of DOTS.
 */

/** RFC 7252 §4.8. Per session, and changeable while it lives: DOTS negotiates them (RFC 9132 §4.5). */
export interface TransmissionParameters {
  readonly ackTimeoutSeconds: number
  readonly ackRandomFactor: number
  readonly maxRetransmit: number
  /** Confirmable messages that may wait for an acknowledgement at one time. */
  readonly nstart: number
  /** RFC 7252 §4.8.2: the longest time a datagram may live in the network. Default 100. */
  readonly maxLatencySeconds: number
}

/** An outgoing request, named by its sender; a number that is not in use. */
export type OutgoingExchange = number & { readonly __brand: 'OutgoingExchange' }

/** An incoming request, named by the session. */
export type IncomingExchange = number & { readonly __brand: 'IncomingExchange' }

export interface CoapRequest {
  /** GET 1, POST 2, PUT 3, DELETE 4 (RFC 7252 §5.8), FETCH 5, PATCH 6, iPATCH 7 (RFC 8132). */
  readonly method: number
  readonly options: readonly CoapOption[]
  readonly payload: Uint8Array
}

export interface CoapResponse {
  readonly code: number
  readonly options: readonly CoapOption[]
  readonly payload: Uint8Array
}

export type CoapSessionInput =
  /** A plaintext came; the view need only live during the call. */
  | { readonly kind: 'datagram'; readonly bytes: Uint8Array }
  /** Send a request. With an Observe option of 0 the exchange stays open for notifications (RFC 7641). */
  | {
      readonly kind: 'request'
      readonly exchange: OutgoingExchange
      readonly request: CoapRequest
      readonly confirmable: boolean
    }
  /**
   * Send a Non-confirmable request once more: same token, new message id. When to do so is the caller's affair.
   * On an open observation, of either type: renew it (RFC 7641 §3.3.1). Ignored for other Confirmable requests.
   */
  | { readonly kind: 'repeat'; readonly exchange: OutgoingExchange }
  /** Forget a request or an observation; what still comes for it is rejected with a Reset where the RFC says so. */
  | {
      readonly kind: 'cancel'
      readonly exchange: OutgoingExchange
      /**
       * Of an observation over datagrams: tell the peer now, by a request that is sent at once, without waiting for its
       * answer (RFC 7641 §3.6). Not while the peer is silent and PROBING_RATE is used up. On streams it is always told.
       */
      readonly deregister?: boolean
    }
  /**
   * Answer. With an Observe option the exchange stays open for `notify`; where the request did not register, the answer
   * is no 2.xx, or there are too many observers, the session leaves the option out.
   */
  | { readonly kind: 'respond'; readonly exchange: IncomingExchange; readonly response: CoapResponse }
  /** Say nothing to a request, not even that it came: it is forgotten, and makes room for another. */
  | { readonly kind: 'ignore'; readonly exchange: IncomingExchange }
  /**
   * A notification to an observer. The session sets the Observe option's sequence number (RFC 7641 §3.4, §4.4).
   * One that is not 2.xx is the last: the observer is forgotten without an `observer-gone`.
   */
  | {
      readonly kind: 'notify'
      readonly exchange: IncomingExchange
      readonly response: CoapResponse
      readonly confirmable: boolean
    }
  /** The observer is not to be served any more. */
  | { readonly kind: 'forget-observer'; readonly exchange: IncomingExchange }
  /** RFC 7252 §4.3: an empty Confirmable message. The outcome is `pong` or `failed`. */
  | {
      readonly kind: 'ping'
      readonly exchange: OutgoingExchange
      /** On streams: ask the peer to answer only when it has processed all before (RFC 8323 §5.4.1). */
      readonly custody?: boolean
    }
  | { readonly kind: 'parameters'; readonly parameters: TransmissionParameters }

/**
 * One observer, for an application that tells very many of them the same: what `notify` does to most of them, Non-confirmable,
 * without a way through all layers of a session.
 */
export interface ObserverHandle {
  /**
   * Adds a notification that is to be sent now to what goes out to many.
   * @param peer Whose session this is, for the batch.
   * @returns false: it has to go by `notify`, as it is not 2.xx, goes in blocks, has to wait, or the observer has gone.
   */
  notify(response: CoapResponse, peer: PeerId, batch: OutgoingBatch, now: Instant): boolean
}

export type ExchangeFailure =
  | 'timeout'
  | 'reset'
  | 'unsupported-critical-option'
  | 'session-full'
  /** One registration per resource: another request of ours observes it (RFC 7641 §3.1). */
  | 'already-observing'
  /** Blocks of the response came that make no body; a `malformed` says why. */
  | 'block-wise'
  /** On streams: longer than the peer takes. */
  | 'message-too-large'
  /** On streams: the connection is closed, or about to be. */
  | 'closed'

export type CoapSessionOutput =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** A request came, for the first time: duplicates are answered by the session itself (RFC 7252 §4.5). */
  | {
      readonly kind: 'request'
      readonly exchange: IncomingExchange
      readonly request: CoapRequest
      readonly confirmable: boolean
    }
  /** A response, or, where `final` is false, the first answer of an observation or a notification in fresh order. */
  | {
      readonly kind: 'response'
      readonly exchange: OutgoingExchange
      readonly response: CoapResponse
      readonly final: boolean
    }
  | { readonly kind: 'failed'; readonly exchange: OutgoingExchange; readonly reason: ExchangeFailure }
  | {
      readonly kind: 'pong'
      readonly exchange: OutgoingExchange
      /** On streams: the peer has processed all that we sent before the ping. */
      readonly custody?: boolean
    }
  /** The observer deregistered, reset a notification, or a Confirmable notification timed out. */
  | { readonly kind: 'observer-gone'; readonly exchange: IncomingExchange }
  /** A datagram was not CoAP, or broke a rule that CoAP answers with silence or a Reset: count it. */
  | { readonly kind: 'malformed'; readonly error: DecodeError }
