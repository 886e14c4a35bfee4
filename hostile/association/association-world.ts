import { Code, OptionNumber, encodeMessage, uintOption } from '@breakwater/coap'
import type { CoapOption } from '@breakwater/coap'
import { Seconds, formatIpAddress } from '@breakwater/core'
import { encodeSignal } from '@breakwater/model'
import { expect } from 'vitest'
import { ScriptedServer, want } from '../../packages/dots/test/client/scripted-server.ts'
import type { Heard } from '../../packages/dots/test/client/scripted-server.ts'
import { target } from '../../packages/dots/test/multihoming/sites.ts'

const MITIGATE = '/.well-known/dots/mitigate'
export const PUT = `PUT ${MITIGATE}`
const own = ['198.51.100.7/32', '198.51.100.8/32']
export const dotsCbor: CoapOption = uintOption(OptionNumber.contentFormat, 271)

/**
 * What a client has of one server, in virtual time: its association, which holds session, requests and redirection. The
 * server is the attacker; what happens afterwards it does as it should.
 */
export class AssociationWorld extends ScriptedServer {
  readonly #done = new Set<Heard>()
  #nextId = 40_000
  /** Connections whose handshake has ended. */
  readonly #settled = new Set<unknown>()

  constructor() {
    super()
    this.connect()
    this.want(want('web', target('198.51.100.7/32')))
  }

  override feed(input: Parameters<ScriptedServer['feed']>[0]): void {
    if (input.kind === 'established' || input.kind === 'failed') this.#settled.add(input.connection)
    super.feed(input)
  }

  get put(): Heard {
    return this.last(PUT)
  }

  /** Says a thing to each request of this kind that had no answer yet. */
  toEach(text: string, say: (request: Heard) => void): void {
    for (const request of this.requests(text)) {
      if (this.#done.has(request)) continue
      this.#done.add(request)
      say(request)
    }
  }

  /** The same for a while, second by second. */
  keepSaying(seconds: number, say: (request: Heard) => void, text = ''): void {
    for (let second = 0; second < seconds; second++) {
      this.toEach(text, say)
      this.pass(Seconds(1))
    }
  }

  redirect(request: Heard, altServer: string, altServerRecord: readonly string[], ttlSeconds = 600): void {
    const body = encodeSignal({ redirectedSignal: { altServer, altServerRecord } })
    this.reply(request, Code.serviceUnavailable, body, [
      dotsCbor,
      uintOption(OptionNumber.maxAge, ttlSeconds)
    ])
  }

  /** Bytes as they are, on the session that was asked for last. */
  say(bytes: Uint8Array): void {
    this.feed({ kind: 'datagram', connection: this.connection, bytes })
  }

  /** A message of the server's own. */
  tell(
    code: number,
    token: Uint8Array,
    options: readonly CoapOption[] = [],
    payload: Uint8Array = new Uint8Array(0)
  ): void {
    const messageId = this.#nextId++ & 0xffff
    this.say(encodeMessage({ type: 'non-confirmable', code, messageId, token, options, payload }))
  }

  /** Where handshakes went: name and address. */
  get destinations(): string[] {
    return this.outputs.flatMap((output) =>
      output.kind === 'connect' ? [`${output.serverName} ${formatIpAddress(output.path.remote.address)}`] : []
    )
  }

  /** Messages that the client has sent in all. */
  get sent(): number {
    return this.outputs.filter(({ kind }) => kind === 'send').length
  }

  /** The end of this session, as the server wants it. */
  hangUp(): void {
    this.feed({ kind: 'closed', connection: this.connection, reason: 'close-notify' })
  }

  /**
   * Nothing was asked for but what is wanted, by no path but those of the domain; and the next thing that the operator
   * wants is asked for and granted as soon as the server is reasonable.
   */
  expectServiceAsBefore(): void {
    this.want(want('web', target('198.51.100.7/32')), want('more', target('198.51.100.8/32')))
    let granted = 0
    const isOver = (): boolean => granted > 0
    for (let second = 0; second < 7200 && !isOver(); second++) {
      if (!this.#settled.has(this.connection)) this.feed({ kind: 'established', connection: this.connection })
      this.toEach(PUT, (request) => {
        this.answer(request, Code.created, { mid: request.mitigationId ?? 0, lifetime: 3600 })
        if (request.scope[0]?.targetPrefix?.includes('198.51.100.8/32') === true) granted++
      })
      this.toEach(`GET ${MITIGATE}`, (request) => this.answer(request, Code.notFound))
      this.pass(Seconds(1))
    }
    expect(granted, 'the next request is granted').toBe(1)
    for (const { scope } of this.heard)
      for (const prefix of scope.flatMap(({ targetPrefix = [] }) => targetPrefix))
        expect(own).toContain(prefix)
    const ways = this.outputs.flatMap((output) => (output.kind === 'connect' ? [output.path.domain] : []))
    expect(new Set(ways).size).toBe(1)
  }
}
