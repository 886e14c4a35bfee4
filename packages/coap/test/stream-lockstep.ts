import { after, type Duration, encodeUtf8, Instant } from '@breakwater/core'
import {
  Code,
  CoapStreamSession,
  defaultParameters,
  formatCode,
  formatMethod,
  Method,
  OptionNumber,
  readUriPath,
  uintOption,
  uriPath
} from '../src/index.ts'
import type {
  CoapOption,
  CoapRequest,
  CoapResponse,
  CoapStreamInput,
  CoapStreamOutput,
  CoapStreamSessionOptions,
  IncomingExchange,
  OutgoingExchange
} from '../src/index.ts'
import { type Conduct, steadyEntropy } from './lockstep.ts'
import { frame, frameLines, showPayload } from '@breakwater/testing'

/** One session on a stream, driven by hand, as `Lockstep` does it for datagrams. */
export class StreamLockstep {
  readonly session: CoapStreamSession
  now: Instant = Instant(0)
  readonly sent: Uint8Array[] = []
  readonly requests: CoapRequest[] = []
  readonly responses: CoapResponse[] = []

  constructor(options: Partial<CoapStreamSessionOptions> & { readonly draw?: number } = {}) {
    const { draw = 0x1234_0000, ...others } = options
    this.session = new CoapStreamSession({
      parameters: defaultParameters,
      entropy: steadyEntropy(draw),
      openedAt: this.now,
      ...others
    })
  }

  /** What it says before anybody spoke to it. */
  drain(): string[] {
    const lines: string[] = []
    for (let output = this.session.poll(); output !== undefined; output = this.session.poll())
      lines.push(...this.#show(output))
    return lines
  }

  feed(input: CoapStreamInput): string[] {
    this.session.handle(input, this.now)
    return this.drain()
  }

  /** Bytes come: frames as lines, or as they are. */
  receive(...frames: readonly (string | Uint8Array)[]): string[] {
    const parts = frames.map((part) => (typeof part === 'string' ? frame(part) : part))
    return this.feed({ kind: 'datagram', bytes: Uint8Array.from(parts.flatMap((part) => [...part])) })
  }

  get(exchange: number, path = 'x', conduct: Conduct = {}): string[] {
    return this.request(exchange, Method.get, path, conduct)
  }

  request(exchange: number, method: number, path: string, conduct: Conduct = {}): string[] {
    return this.feed({
      kind: 'request',
      exchange: exchange as OutgoingExchange,
      request: { method, options: optionsOf(conduct, uriPath(path)), payload: asBytes(conduct.payload) },
      confirmable: conduct.confirmable ?? true
    })
  }

  respond(
    exchange: number,
    code: number,
    payload: string | Uint8Array = '',
    conduct: Conduct = {}
  ): string[] {
    const response = { code, options: optionsOf(conduct, []), payload: asBytes(payload) }
    return this.feed({ kind: 'respond', exchange: exchange as IncomingExchange, response })
  }

  notify(exchange: number, payload: string | Uint8Array, code: number = Code.content): string[] {
    const response = { code, options: [], payload: asBytes(payload) }
    return this.feed({
      kind: 'notify',
      exchange: exchange as IncomingExchange,
      response,
      confirmable: false
    })
  }

  cancel(exchange: number): string[] {
    return this.feed({ kind: 'cancel', exchange: exchange as OutgoingExchange })
  }

  ping(exchange: number, custody = false): string[] {
    return this.feed({ kind: 'ping', exchange: exchange as OutgoingExchange, custody })
  }

  advance(duration: Duration): string[] {
    const end = after(this.now, duration)
    const lines: string[] = []
    for (
      let next = this.session.nextTimeout();
      next !== undefined && next <= end;
      next = this.session.nextTimeout()
    ) {
      this.now = next
      this.session.handleTimeout(next)
      lines.push(...this.drain())
    }
    this.now = end
    return lines
  }

  #show(output: CoapStreamOutput): string[] {
    switch (output.kind) {
      case 'send':
        this.sent.push(output.bytes)
        return frameLines(output.bytes).map((text) => `> ${text}`)
      case 'request': {
        this.requests.push(output.request)
        const { method, options } = output.request
        return [`request ${output.exchange} ${formatMethod(method)} /${readUriPath(options).join('/')}`]
      }
      case 'response': {
        this.responses.push(output.response)
        const { code, payload } = output.response
        const text = payload.length > 0 ? ` ${showPayload(payload)}` : ''
        return [`response ${output.exchange} ${formatCode(code)}${text}${output.final ? ' final' : ''}`]
      }
      case 'failed':
        return [`failed ${output.exchange} ${output.reason}`]
      case 'pong':
        return [`pong ${output.exchange}${output.custody === true ? ' custody' : ''}`]
      case 'observer-gone':
        return [`observer-gone ${output.exchange}`]
      case 'malformed':
        return [`malformed ${output.error.code}`]
      case 'released': {
        const { alternativeAddresses = [], holdOffSeconds, diagnostic = '' } = output.release
        return [`released [${alternativeAddresses.join(' ')}] ${holdOffSeconds ?? '-'} "${diagnostic}"`]
      }
      case 'close':
        return [`close ${output.reason} "${output.diagnostic}"`]
    }
  }
}

/** A session past its first messages: the peer has said its CSM. */
export function openStream(
  options: Partial<CoapStreamSessionOptions> = {},
  csm: string = 'CSM #2=0480'
): StreamLockstep {
  const stream = new StreamLockstep(options)
  stream.drain()
  stream.receive(csm)
  return stream
}

function optionsOf(conduct: Conduct, more: readonly CoapOption[]): CoapOption[] {
  const observe = conduct.observe === undefined ? [] : [uintOption(OptionNumber.observe, conduct.observe)]
  return [...observe, ...more, ...(conduct.options ?? [])]
}

function asBytes(payload: string | Uint8Array = ''): Uint8Array {
  return typeof payload === 'string' ? encodeUtf8(payload) : payload
}
