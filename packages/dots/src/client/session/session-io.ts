import type { CoapRequest, CoapResponse } from '@breakwater/coap'
import type { Duration, Instant } from '@breakwater/core'
import type { SessionParameters } from '../../signal/defaults.ts'
import type { Errand } from './errand.ts'

/** What a `SignalSession` is told. */
export type SignalSessionInput =
  /** On a stream, bytes as they come. */
  | { readonly kind: 'datagram'; readonly bytes: Uint8Array }
  /** From the next `send` on, do this, and repeat it until there is an answer. Replaces the same errand. */
  | { readonly kind: 'ask'; readonly errand: Errand; readonly request: CoapRequest }
  /** No answer is wanted any more. */
  | { readonly kind: 'forget'; readonly errand: Errand }
  /** The session goes by these from now on (RFC 9132 §4.5.2). */
  | { readonly kind: 'parameters'; readonly parameters: SessionParameters }
  /** Another session carries what is asked: only what is about this session goes on. */
  | { readonly kind: 'stand-down' }
  /** Somebody wants to know whether the server answers here: the next heartbeat goes as soon as it may. */
  | { readonly kind: 'look' }
  /** All that is to be asked now has been said: the most urgent may go. */
  | { readonly kind: 'send' }

/** What it wants done, and what it tells. */
export type SignalSessionOutput =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  | { readonly kind: 'answer'; readonly errand: Errand; readonly response: CoapResponse }
  /** The server answered: there and back works. Undefined: what it answered had been sent more than once. */
  | { readonly kind: 'answered'; readonly roundTrip: Duration | undefined }
  /** No answer came within the usual time; the first request that waits for one was sent at `since`. */
  | { readonly kind: 'unanswered'; readonly since: Instant }
  /** Something else came. `hearsUs` of a heartbeat: what the server says of ours (RFC 9132 §4.7). */
  | { readonly kind: 'heard'; readonly hearsUs: boolean | undefined }
  /** As many heartbeats as allowed went unanswered. */
  | { readonly kind: 'heartbeats-lost' }
  | { readonly kind: 'heartbeats-back' }
  /** Told with every heartbeat while nothing has come for two intervals, long before heartbeats count as lost. */
  | { readonly kind: 'unresponsive' }
  | { readonly kind: 'malformed'; readonly text: string }
  /**
   * The server ended the session by a Release or an Abort, or was ended for breaking the rules of streams (RFC 8323 §5.5,
   * §5.6): its connection is to be closed. Of a Release: when to come back at the earliest.
   */
  | { readonly kind: 'ended'; readonly reason: string; readonly holdOffSeconds: number | undefined }
