import { Code, OptionNumber, uintOption } from '@breakwater/coap'
import type { CoapOption } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { target } from '../multihoming/sites.ts'
import { MINUTE, ScriptedServer, want } from './scripted-server.ts'

const MITIGATE = '/.well-known/dots/mitigate'
const web = want('web', target('198.51.100.7/32'))
const net = want('net', target('198.51.100.0/28'))

function states(server: ScriptedServer): string[] {
  return server.association.requests.map((request) => request.state.kind)
}

function inSeconds(count: number): CoapOption {
  return uintOption(OptionNumber.maxAge, count)
}

function inForce(): ScriptedServer {
  const server = new ScriptedServer()
  server.connect()
  server.want(web)
  server.grant(3600)
  server.pass(Seconds(1))
  return server
}

/** The session ends, and another comes as soon as it may. */
function comeBack(server: ScriptedServer): void {
  server.feed({ kind: 'closed', connection: server.connection, reason: 'alert' })
  server.pass(Seconds(61))
  server.feed({ kind: 'established', connection: server.connection })
  server.pass(Seconds(1))
}

describe('what was asked and is not wanted any more', () => {
  it('is not asked again when the server, busy before, could take it now', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    server.grant(3600)
    server.want(web, net)
    const wider = server.last(`PUT ${MITIGATE}`)
    server.answer(wider, Code.serviceUnavailable, undefined, [inSeconds(20)])
    server.want(web)
    // A copy of the wider one may have been accepted before that answer, and have taken the place of the first.
    const again = server.grant(3600)
    expect(again.mitigationId).toBeGreaterThan(wider.mitigationId!)
    expect(server.association.requests.map((request) => request.mitigationId)).toEqual([again.mitigationId])
    server.pass(MINUTE)
    expect(server.last(`PUT ${MITIGATE}`)).toBe(again)
  })

  it('is not asked by the next session either', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const first = server.last(`PUT ${MITIGATE}`).mitigationId
    server.want(web, net)
    comeBack(server)
    const [over] = server.requests(`PUT ${MITIGATE}`).slice(-1)
    const own = server.heard.filter((each) => each.connection === over?.connection)
    expect(own.filter((each) => each.mitigationId === first)).toEqual([])
    expect(own.some((each) => each.text.startsWith('PUT') && each.mitigationId !== undefined)).toBe(true)
    server.want(web)
    server.pass(Seconds(10))
    const wanted = server.association.requests.filter((request) => request.replacedBy === undefined)
    expect(wanted.map((request) => request.state.kind)).toEqual(['asking'])
  })

  it('never gets a higher id than what took its place', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    server.grant(10)
    server.want(web, net)
    const wider = server.last(`PUT ${MITIGATE}`)
    server.answer(wider, Code.serviceUnavailable, undefined, [inSeconds(600)])
    // The refresh of the old one finds the new one at the server: the 5.03 came from another of its processes.
    server.pass(Seconds(12))
    const refresh = server.last(`PUT ${MITIGATE}`)
    const conflictInformation = { conflictCause: 1, conflictScope: { mid: wider.mitigationId! } }
    server.answer(refresh, Code.conflict, { conflictInformation })
    server.pass(MINUTE)
    const ids = server.requests(`PUT ${MITIGATE}`).map((each) => each.mitigationId ?? 0)
    expect(Math.max(...ids)).toBe(wider.mitigationId)
  })
})

describe('a protection that is released while the ids of its server are being looked up', () => {
  it('is not asked for again when they have come', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const put = server.last(`PUT ${MITIGATE}`)
    server.answer(put, Code.conflict, { conflictInformation: { conflictCause: 1 } })
    server.want()
    server.pass(Seconds(1))
    const list = server.last(`GET ${MITIGATE}/cuid=dz6pHjaADkaFTbjr0JGBpw`)
    server.answer(list, Code.content, { mid: 1_900_000_000, lifetime: 100, status: 2 })
    server.pass(MINUTE)
    expect(server.requests(`PUT ${MITIGATE}`)).toEqual([put])
    const withdrawn = new Set(server.requests(`DELETE ${MITIGATE}`).map((each) => each.mitigationId))
    expect([...withdrawn]).toEqual([put.mitigationId])
  })
})

describe('a mitigation that the server calls terminated while it is still wanted', () => {
  const over = { status: 6, lifetime: 0 }

  it('is asked for anew: its refresh may have been lost', () => {
    const server = inForce()
    const { mitigationId: mid } = server.last(`PUT ${MITIGATE}`)
    server.notify(server.last('GET'), 5, { mid: mid!, ...over })
    expect(states(server)).toEqual(['asking'])
    server.pass(Seconds(1))
    expect(server.requests(`PUT ${MITIGATE}`)).toHaveLength(2)
    server.grant(3600)
    expect(states(server)).toEqual(['in-force'])
  })

  it('is asked for a minute later, and not called protected meanwhile, when that happens again', () => {
    const server = inForce()
    const { mitigationId: mid } = server.last(`PUT ${MITIGATE}`)
    for (const sequence of [5, 6]) {
      server.notify(server.last('GET'), sequence, { mid: mid!, ...over })
      server.pass(Seconds(1))
      if (sequence === 5) server.grant(3600)
      server.pass(Seconds(1))
    }
    expect(states(server)).toEqual(['refused'])
    server.pass(Seconds(50))
    expect(server.requests(`PUT ${MITIGATE}`)).toHaveLength(2)
    server.pass(Seconds(15))
    expect(states(server)).toEqual(['asking'])
  })

  it('that is not known twice in a minute is not called protected either', () => {
    const server = inForce()
    for (const round of [1, 2]) {
      server.answer(server.last('GET'), Code.notFound)
      server.pass(Seconds(1))
      if (round === 1) server.grant(3600)
      server.pass(Seconds(1))
    }
    expect(states(server)).toEqual(['refused'])
  })
})
