import { Code, OptionNumber, uintOption } from '@breakwater/coap'
import type { CoapOption } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import { encodeSignal } from '@breakwater/model'
import { DEFAULT_SESSION_PARAMETERS } from '@breakwater/dots'
import { describe, expect, it } from 'vitest'
import { target } from '../../multihoming/sites.ts'
import { ScriptedServer, want } from '../scripted-server.ts'
import type { Heard } from '../scripted-server.ts'

/** A server that says "later" and not when, or at once: RFC 7252 §5.9.3.4 leaves to the client what it makes of that. */

const MITIGATE = '/.well-known/dots/mitigate'
const CONFIG = 'GET /.well-known/dots/config'
const web = want('web', target('198.51.100.7/32'))

function maxAge(seconds: number): CoapOption[] {
  return [uintOption(OptionNumber.maxAge, seconds)]
}

/** Answers what is asked like this, and sees that it is asked again after so many seconds each time. */
function expectPauses(
  server: ScriptedServer,
  text: string,
  seconds: readonly number[],
  answer: (question: Heard) => void
): void {
  for (const pause of seconds) {
    const before = server.requests(text).length
    answer(server.last(text))
    server.pass(Seconds(pause - 0.5))
    expect(server.requests(text)).toHaveLength(before)
    // It may have to wait for its turn.
    server.pass(Seconds(4))
    expect(server.requests(text).length).toBeGreaterThan(before)
  }
}

function asking(): ScriptedServer {
  const server = new ScriptedServer()
  server.connect()
  server.want(web)
  return server
}

describe('a request that the server puts off', () => {
  it('for no time is asked again after 3 s, and then less and less often, down to once a minute', () => {
    const server = asking()
    const unavailable = (put: Heard): void =>
      server.answer(put, Code.serviceUnavailable, undefined, maxAge(0))
    expectPauses(server, `PUT ${MITIGATE}`, [3, 6, 12, 24, 48, 60, 60], unavailable)
  })

  it('for a time worth the name is asked again just then, however often', () => {
    const server = asking()
    const busy = (put: Heard): void => server.answer(put, Code.tooManyRequests, undefined, maxAge(5))
    expectPauses(server, `PUT ${MITIGATE}`, [5, 5, 5, 5, 5, 5], busy)
  })

  it('begins anew with short pauses once it was granted', () => {
    const server = asking()
    const unavailable = (put: Heard): void =>
      server.answer(put, Code.serviceUnavailable, undefined, maxAge(0))
    expectPauses(server, `PUT ${MITIGATE}`, [3, 6, 12, 24], unavailable)
    server.grant(100)
    server.pass(Seconds(75))
    expectPauses(server, `PUT ${MITIGATE}`, [3, 6], unavailable)
  })

  it('by a retry-timer of 0 is no different', () => {
    const server = asking()
    const conflictInformation = { conflictStatus: 1, conflictCause: 1, retryTimer: 0 }
    const conflict = (put: Heard): void =>
      server.answer(put, Code.conflict, { mid: put.mitigationId!, conflictInformation })
    expectPauses(server, `PUT ${MITIGATE}`, [3, 6, 12, 24], conflict)
  })

  it('is no different when it is a withdrawal', () => {
    const server = asking()
    server.grant(36_000)
    server.want()
    server.pass(Seconds(4))
    const unavailable = (each: Heard): void =>
      server.answer(each, Code.serviceUnavailable, undefined, maxAge(0))
    expectPauses(server, `DELETE ${MITIGATE}`, [3, 6, 12, 24], unavailable)
  })
})

function negotiating(): ScriptedServer {
  const wanted = { mitigating: DEFAULT_SESSION_PARAMETERS, idle: DEFAULT_SESSION_PARAMETERS }
  const server = new ScriptedServer({}, wanted)
  server.connect()
  server.pass(Seconds(1))
  return server
}

describe('the configuration of a session', () => {
  it('is asked for in the same way', () => {
    const server = negotiating()
    const unavailable = (each: Heard): void =>
      server.answer(each, Code.serviceUnavailable, undefined, maxAge(0))
    expectPauses(server, CONFIG, [3, 6, 12, 24, 48, 60, 60], unavailable)
  })

  it('is asked for once a minute of a server that sends us to where we do not go, however long that holds', () => {
    const server = negotiating()
    const body = encodeSignal({
      redirectedSignal: { altServer: 'elsewhere.example', altServerRecord: ['127.0.0.1'] }
    })
    const away = (each: Heard): void =>
      server.reply(each, Code.serviceUnavailable, body, [
        uintOption(OptionNumber.contentFormat, 271),
        ...maxAge(86_400)
      ])
    expectPauses(server, CONFIG, [60, 60], away)
  })
})
