import { Code, codeClass, isSuccess } from '@breakwater/coap'
import type { CoapRequest, CoapResponse } from '@breakwater/coap'
import { Milliseconds, Seconds, after } from '@breakwater/core'
import type { Instant, Machine, Transport } from '@breakwater/core'
import { bearable, unbearable } from '../../signal/bearable-parameters.ts'
import type { SessionParameters } from '../../signal/defaults.ts'
import type { SessionConfiguration } from '../../signal/session-configuration.ts'
import {
  currentOf,
  negotiableOver,
  readSessionOffer,
  sessionProposalBody,
  withinOffer
} from '../../signal/session-offer.ts'
import { maxAgeOf, putOffSeconds } from '../requests/answer.ts'
import { configDeletion, configProposal, configQuestion } from './errand.ts'
import type { Errand } from './errand.ts'
import { secondsToWait } from '../requests/retry-after.ts'

/** What the client wants of its sessions: values, as far as the server accepts them, or the server's own. */
export type WantedConfiguration = SessionConfiguration | 'defaults'

export type SessionNegotiationInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'answer'; readonly errand: Errand; readonly response: CoapResponse }
  /** A mitigation of ours has become active, or none is any more. */
  | { readonly kind: 'activity'; readonly isMitigating: boolean }

export type SessionNegotiationOutput =
  | { readonly kind: 'ask'; readonly errand: Errand; readonly request: CoapRequest }
  /** The server wants what RFC 7252 §4.8.1 forbids: for people. */
  | { readonly kind: 'objection'; readonly text: string }
  /** The session goes by these from now on. */
  | { readonly kind: 'parameters'; readonly parameters: SessionParameters }

export interface SessionNegotiationOptions {
  readonly wanted: WantedConfiguration
  /** In force for all that is not negotiated (RFC 9132 §4.5.2). */
  readonly defaults: SessionParameters
  readonly transport: Transport
  readonly isMitigating: boolean
  /** Greater than all before it (RFC 9132 §4.5.2). */
  readonly nextSid: (now: Instant) => number
}

/**
 * | phase | next |
 * |---|---|
 * | `resetting`: DELETE without a sid is out (RFC 9132 §4.5.4) | `asking` on any answer |
 * | `asking`: GET is out, to know what is in force and what is acceptable | `proposing` where that is not what is wanted, else `agreed` |
 * | `proposing`: PUT is out | `confirming` on 2.01, 2.04; on 4.22 `asking`, as often as `MOST_PROPOSALS`; else `agreed` |
 * | `confirming`: GET with the sid is out | `agreed` |
 * | `agreed` | `confirming` before Max-Age is over, but not during an attack (RFC 9132 §4.5.3); `asking` when there is no sid |
 * | `refused`: the server has no such resource: the defaults hold | – |
 */
type Phase = 'resetting' | 'asking' | 'proposing' | 'confirming' | 'agreed' | 'refused'

/** A server that takes none of what it calls acceptable, or says that it does and does not, is not argued with. */
const MOST_PROPOSALS = 3

/** RFC 9132 §4.5.3. */
const INFINITE_MAX_AGE_SECONDS = 2 ** 32 - 1

/** A refresh has to arrive before the time is over. */
const REFRESH_AT_PART = 0.75

/** Negotiates the configuration of one session, keeps it fresh, and says which of its two sets holds (RFC 9132 §4.5). */
export class SessionNegotiation implements Machine<SessionNegotiationInput, SessionNegotiationOutput> {
  readonly #options: SessionNegotiationOptions
  readonly #outputs: SessionNegotiationOutput[] = []
  #phase: Phase = 'asking'
  #inForce: SessionConfiguration
  #proposed: { readonly sid: number; readonly configuration: SessionConfiguration } | undefined
  /** Names the configuration that the server has of us. */
  #sid: number | undefined
  #proposals = 0
  /** The server has told us of it under its sid. */
  #isConfirmed = false
  /** How often in a row the server put us off. */
  #putOffs = 0
  #isMitigating: boolean
  #refreshAt: Instant | undefined
  #objection = ''

  constructor(options: SessionNegotiationOptions) {
    this.#options = options
    this.#isMitigating = options.isMitigating
    this.#inForce = { mitigating: options.defaults, idle: options.defaults }
  }

  /** The sid of what was agreed; undefined: the server's defaults hold. */
  get sid(): number | undefined {
    return this.#sid
  }

  /** The set that holds now. */
  get parameters(): SessionParameters {
    return this.#isMitigating ? this.#inForce.mitigating : this.#inForce.idle
  }

  handle(input: SessionNegotiationInput, now: Instant): void {
    switch (input.kind) {
      case 'start':
        if (this.#options.wanted === 'defaults') this.#reset()
        else this.#ask()
        return
      case 'activity':
        this.#isMitigating = input.isMitigating
        this.#apply()
        // RFC 9132 §4.5.3: what could not be refreshed during the attack is due now.
        this.handleTimeout(now)
        return
      case 'answer':
        if (input.errand.kind === 'config') this.#told(input.response, now)
        else this.#answered(input.response, now)
    }
  }

  poll(): SessionNegotiationOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    return this.#isMitigating ? undefined : this.#refreshAt
  }

  handleTimeout(now: Instant): void {
    const due = this.nextTimeout()
    if (due === undefined || due > now) return
    this.#refreshAt = undefined
    this.#ask()
  }

  #reset(): void {
    this.#phase = 'resetting'
    this.#outputs.push({ kind: 'ask', errand: { kind: 'config-change' }, request: configDeletion() })
  }

  /** RFC 9132 §4.5.1; with the sid, it is the refresh of §4.5.3. */
  #ask(): void {
    this.#phase = this.#sid === undefined ? 'asking' : 'confirming'
    this.#outputs.push({ kind: 'ask', errand: { kind: 'config' }, request: configQuestion(this.#sid) })
  }

  /** The answer to a GET, or a notification. */
  #told(response: CoapResponse, now: Instant): void {
    const offer = response.code === Code.content ? readSessionOffer(response.payload) : undefined
    if (offer === undefined) {
      this.#untold(response, now)
      return
    }
    const said = currentOf(offer, this.#options.defaults)
    this.#inForce = { mitigating: bearable(said.mitigating), idle: bearable(said.idle) }
    this.#isConfirmed ||= this.#phase === 'confirming'
    this.#object(said)
    this.#apply()
    this.#keepFresh(response, now)
    const wanted = this.#options.wanted === 'defaults' ? said : withinOffer(this.#options.wanted, offer)
    // Of what has been agreed, the server may change what it likes (RFC 9132 §4.5.3).
    const isWanted = this.#phase !== 'asking' || this.#isSame(wanted, said)
    if (isWanted || this.#proposals >= MOST_PROPOSALS) {
      this.#phase = 'agreed'
      this.#putOffs = 0
    } else this.#propose(wanted, now)
  }

  /** What the server wants and does not get is told once, until it wants something else. */
  #object({ mitigating, idle }: SessionConfiguration): void {
    const [first, second] = [unbearable(mitigating), unbearable(idle)]
    const text =
      second === '' || second === first ? first : [first, second].filter((each) => each !== '').join('; ')
    if (text !== '' && text !== this.#objection) this.#outputs.push({ kind: 'objection', text })
    this.#objection = text
  }

  #untold(response: CoapResponse, now: Instant): void {
    const isLost = response.code === Code.notFound && this.#sid !== undefined
    if (isLost) {
      // The server has forgotten what was agreed. One that never knew it is asked as often as one that refuses.
      this.#sid = undefined
      if (this.#isConfirmed) this.#proposals = 0
      this.#isConfirmed = false
      this.#ask()
    } else if (isBusy(response)) this.#comeBack(response, now)
    else this.#phase = 'refused'
  }

  #comeBack(response: CoapResponse, now: Instant): void {
    this.#refreshAt = after(now, Seconds(secondsToWait(putOffSeconds(response), this.#putOffs++)))
  }

  #propose(configuration: SessionConfiguration, now: Instant): void {
    const sid = this.#options.nextSid(now)
    this.#phase = 'proposing'
    this.#proposals++
    this.#proposed = { sid, configuration }
    const body = sessionProposalBody(configuration, negotiableOver(this.#options.transport))
    const request = configProposal(sid, body)
    this.#outputs.push({ kind: 'ask', errand: { kind: 'config-change' }, request })
  }

  /** The answer to a PUT or DELETE. */
  #answered(response: CoapResponse, now: Instant): void {
    if (this.#phase === 'resetting') {
      this.#ask()
      return
    }
    if (this.#phase !== 'proposing' || this.#proposed === undefined) return
    const { sid, configuration } = this.#proposed
    if (isSuccess(response.code)) {
      this.#sid = sid
      this.#inForce = configuration
      this.#apply()
      // What it is valid for, and the news of it.
      this.#ask()
    } else if (isBusy(response)) {
      this.#phase = 'agreed'
      this.#proposals = 0
      this.#comeBack(response, now)
    } else if (response.code === Code.unprocessableEntity || response.code === Code.conflict) {
      // RFC 9132 §4.5.2: what is acceptable is asked for again. A conflict is about the sid: the next one is greater.
      this.#ask()
    } else this.#phase = 'agreed'
  }

  /** RFC 9132 §4.5.3. */
  #keepFresh(response: CoapResponse, now: Instant): void {
    const seconds = maxAgeOf(response)
    const isEndless = seconds === 0 || seconds === INFINITE_MAX_AGE_SECONDS
    this.#refreshAt = isEndless ? undefined : after(now, Milliseconds(seconds * 1000 * REFRESH_AT_PART))
  }

  #apply(): void {
    this.#outputs.push({ kind: 'parameters', parameters: this.parameters })
  }

  #isSame(one: SessionConfiguration, other: SessionConfiguration): boolean {
    return negotiableOver(this.#options.transport).every(
      (name) => one.mitigating[name] === other.mitigating[name] && one.idle[name] === other.idle[name]
    )
  }
}

function isBusy({ code }: CoapResponse): boolean {
  return code === Code.serviceUnavailable || code === Code.tooManyRequests || codeClass(code) === 5
}
