import { Code } from '@breakwater/coap'
import { Milliseconds, Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { target } from '../multihoming/sites.ts'
import { MINUTE, ScriptedServer, want } from './scripted-server.ts'

const MITIGATE = '/.well-known/dots/mitigate'
const web = want('web', target('198.51.100.7/32'))

function states(server: ScriptedServer): string[] {
  return server.association.requests.map((request) => request.state.kind)
}

describe('one association', () => {
  it('asks the moment its session is there, the PUT first of all', () => {
    const server = new ScriptedServer()
    server.want(web)
    expect(states(server)).toEqual(['waiting'])
    server.connect()
    expect(server.heard[0]?.text).toMatch(/^PUT .*\/cuid=dz6pHjaADkaFTbjr0JGBpw\/mid=1767225600$/)
    expect(states(server)).toEqual(['asking'])
    server.grant(600)
    expect(states(server)).toEqual(['in-force'])
  })

  it('observes what was accepted and believes the notifications', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const mid = server.grant(600).mitigationId!
    server.pass(Seconds(1))
    const get = server.last(`GET ${MITIGATE}/cuid=dz6pHjaADkaFTbjr0JGBpw/mid=`)
    server.notify(get, 5, { mid, status: 1, lifetime: 599, bytesDropped: 10n })
    server.notify(get, 6, { mid, status: 2, lifetime: 598, bytesDropped: 20n })
    expect(server.association.requests[0]?.report).toMatchObject({ status: 2, bytesDropped: 20n })
  })

  it('takes a new id when an older one of its own stands higher at the server', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const first = server.last(`PUT ${MITIGATE}`)
    const conflictInformation = { conflictCause: 1, conflictScope: { mid: 1_900_000_000 } }
    server.answer(first, Code.conflict, { conflictInformation })
    server.pass(Seconds(1))
    const second = server.last(`PUT ${MITIGATE}`)
    expect(second.mitigationId).toBe(1_900_000_001)
    server.grant(600)
    expect(states(server)).toEqual(['in-force'])
  })

  it('asks for the list of its ids when the conflict does not name one', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    server.answer(server.last(`PUT ${MITIGATE}`), Code.conflict, {
      conflictInformation: { conflictCause: 1 }
    })
    expect(states(server)).toEqual(['refused'])
    server.pass(Seconds(1))
    const list = server.last(`GET ${MITIGATE}/cuid=dz6pHjaADkaFTbjr0JGBpw`)
    server.answer(list, Code.content, { mid: 1_900_000_000, lifetime: 100, status: 2 })
    server.pass(Seconds(1))
    expect(server.last(`PUT ${MITIGATE}`).mitigationId).toBe(1_900_000_001)
  })

  it('takes a new id when an earlier life gave its id to another target, by a calendar since set back', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const first = server.last(`PUT ${MITIGATE}`)
    server.answer(first, Code.badRequest)
    expect(states(server)).toEqual(['refused'])
    server.pass(Seconds(1))
    const list = server.last(`GET ${MITIGATE}/cuid=dz6pHjaADkaFTbjr0JGBpw`)
    server.answer(list, Code.content, { mid: first.mitigationId!, lifetime: 100, status: 2 })
    server.pass(Seconds(1))
    expect(server.last(`PUT ${MITIGATE}`).mitigationId).toBe(first.mitigationId! + 1)
    server.grant(600)
    expect(states(server)).toEqual(['in-force'])
  })

  it('takes a new id, too, when the one that it guessed after a conflict was taken', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const conflictInformation = { conflictCause: 1, conflictScope: { mid: 1_900_000_000 } }
    server.answer(server.last(`PUT ${MITIGATE}`), Code.conflict, { conflictInformation })
    server.pass(Seconds(1))
    server.answer(server.last(`PUT ${MITIGATE}`), Code.badRequest)
    server.pass(Seconds(1))
    const list = server.last(`GET ${MITIGATE}/cuid=dz6pHjaADkaFTbjr0JGBpw`)
    server.answer(list, Code.content, { mid: 1_900_000_007, lifetime: 100, status: 2 })
    server.pass(Seconds(1))
    expect(server.last(`PUT ${MITIGATE}`).mitigationId).toBe(1_900_000_008)
  })

  it('believes a refusal when the server has no such id', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    server.answer(server.last(`PUT ${MITIGATE}`), Code.badRequest)
    server.pass(Seconds(1))
    server.answer(server.last(`GET ${MITIGATE}/cuid=dz6pHjaADkaFTbjr0JGBpw`), Code.notFound)
    server.pass(Seconds(600))
    expect(server.requests(`PUT ${MITIGATE}`)).toHaveLength(1)
    expect(states(server)).toEqual(['refused'])
  })

  it('does not argue for ever with a server that sees conflicts everywhere', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    for (let round = 0; round < 10; round++) {
      const put = server.last(`PUT ${MITIGATE}`)
      const conflictInformation = { conflictCause: 1, conflictScope: { mid: put.mitigationId! + 5 } }
      server.answer(put, Code.conflict, { conflictInformation })
      server.pass(Seconds(5))
    }
    expect(new Set(server.requests(`PUT ${MITIGATE}`).map((put) => put.mitigationId)).size).toBe(3)
    expect(states(server)).toEqual(['refused'])
  })

  it("leaves another client's conflict alone until the retry-timer is over", () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const conflictInformation = { conflictStatus: 1, conflictCause: 1, retryTimer: 300 }
    server.answer(server.last(`PUT ${MITIGATE}`), Code.conflict, { conflictInformation })
    server.pass(Seconds(299))
    expect(server.requests(`PUT ${MITIGATE}`)).toHaveLength(1)
    server.pass(Seconds(4))
    expect(server.requests(`PUT ${MITIGATE}`)).toHaveLength(2)
  })

  it('takes another cuid when its own is taken [RFC9132-4.4.1.1-M06]', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const taken = server.last(`PUT ${MITIGATE}`)
    server.answer(taken, Code.conflict, { conflictInformation: { conflictCause: 3 } })
    server.pass(Seconds(1))
    const again = server.last(`PUT ${MITIGATE}`)
    expect(again.text).not.toContain('dz6pHjaADkaFTbjr0JGBpw')
    expect(again.text).toMatch(/cuid=[A-Za-z0-9_-]{22}\//)
    expect(again.scope).toEqual(taken.scope)
  })

  it('keeps its cuid as long as mitigations are active under it [RFC9132-4.4.1.1-M03]', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    server.grant(3600)
    server.want(web, want('mail', target('198.51.100.25/32')))
    server.pass(Seconds(1))
    server.answer(server.last(`PUT ${MITIGATE}`), Code.conflict, {
      conflictInformation: { conflictCause: 3 }
    })
    server.pass(MINUTE)
    for (const { text } of server.requests(`PUT ${MITIGATE}`))
      expect(text).toContain('dz6pHjaADkaFTbjr0JGBpw')
  })

  it('sends requests over a silenced session and its rival in parallel [RFC9132-4.7-S03]', () => {
    const server = new ScriptedServer()
    server.connect()
    const old = server.connection
    server.want(web)
    server.grant(36_000)
    server.pass(Seconds(30 * 20))
    expect(server.association.state.kind).toBe('silent')
    const rival = server.connection
    expect(rival).not.toBe(old)
    server.feed({ kind: 'established', connection: rival })
    server.want(web, want('mail', target('198.51.100.25/32')))
    server.pass(Seconds(10))
    const mails = server
      .requests(`PUT ${MITIGATE}`)
      .filter((put) => put.scope[0]?.targetPrefix?.[0] === '198.51.100.25/32')
    expect(new Set(mails.map((put) => put.connection))).toEqual(new Set([old, rival]))
    expect(new Set(mails.map((put) => put.mitigationId)).size).toBe(1)
  })

  it('tries another session when a standing request has no answer and nothing is heard, long before heartbeats count as lost', () => {
    const server = new ScriptedServer()
    server.connect()
    const old = server.connection
    server.want(want('net', target('198.51.100.0/28'), 300, 'signal-loss'))
    server.pass(Seconds(30 * 4))
    expect(server.connection).not.toBe(old)
    expect(server.association.state).toMatchObject({ kind: 'silent', connection: old })
    server.feed({ kind: 'established', connection: server.connection })
    server.pass(Seconds(10))
    server.grant(300)
    expect(server.association.requests.map(({ state }) => state.kind)).toEqual(['in-force'])
    expect(server.outputs).toContainEqual({ kind: 'close', connection: old })
  })

  it('leaves a session alone that nothing was asked over, until its heartbeats count as lost', () => {
    const server = new ScriptedServer()
    server.connect()
    const old = server.connection
    server.want(want('net', target('198.51.100.0/28'), 36_000, 'signal-loss'))
    server.grant(36_000)
    server.pass(Seconds(30 * 14))
    expect(server.connection).toBe(old)
    server.pass(Seconds(30 * 4))
    expect(server.outputs).toContainEqual({ kind: 'close', connection: old })
  })

  it('gives up the silenced session when its rival is heard', () => {
    const server = new ScriptedServer()
    server.connect()
    const old = server.connection
    server.want(web)
    server.grant(36_000)
    server.pass(Seconds(30 * 20))
    const rival = server.connection
    server.feed({ kind: 'established', connection: rival })
    server.pass(Seconds(4))
    const overRival = server.heard.findLast((each) => each.connection === rival)
    server.answer(overRival!, Code.content, { mid: 1, status: 2, lifetime: 100 })
    expect(server.association.state).toMatchObject({ kind: 'established', connection: rival })
    expect(server.outputs).toContainEqual({ kind: 'close', connection: old })
  })

  it('says of a connection that it is made during an attack, and of no other', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    server.grant(36_000)
    const before = server.outputs.filter((output) => output.kind === 'connect')
    server.pass(Seconds(30 * 20))
    const all = server.outputs.filter((output) => output.kind === 'connect')
    expect(all.length).toBeGreaterThan(before.length)
    expect(all.map(({ duringAttack }) => duringAttack)).toEqual(
      all.map((_, index) => (index < before.length ? undefined : true))
    )
  })

  it('says of a handshake under way that an attack begins, and that it is over', () => {
    const server = new ScriptedServer()
    server.feed({ kind: 'start' })
    const { connection } = server
    server.want(web)
    const told = server.outputs.filter((output) => output.kind === 'retime')
    expect(told).toEqual([{ kind: 'retime', connection, duringAttack: true }])
    server.feed({ kind: 'want', wants: [] })
    expect(server.outputs).toContainEqual({ kind: 'retime', connection, duringAttack: false })
  })

  it('closes a session that comes after nobody waits for it any more', () => {
    const server = new ScriptedServer()
    server.feed({ kind: 'start' })
    const { connection } = server
    server.feed({ kind: 'stop' })
    server.feed({ kind: 'established', connection })
    expect(server.outputs.filter((output) => output.kind === 'close')).toHaveLength(2)
    expect(server.association.state.kind).toBe('stopped')
  })

  it('repeats a DELETE until it is answered', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    server.grant(3600)
    server.want()
    server.pass(Seconds(10))
    expect(server.requests(`DELETE ${MITIGATE}`).length).toBeGreaterThanOrEqual(3)
    server.answer(server.last(`DELETE ${MITIGATE}`), Code.deleted)
    expect(server.association.requests).toEqual([])
    server.pass(MINUTE)
    expect(server.requests(`DELETE ${MITIGATE}`).length).toBeLessThanOrEqual(5)
  })

  it('keeps the old request when the server refuses the one that was to replace it', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const old = server.grant(3600)
    server.want(web, want('net', target('198.51.100.0/28')))
    server.pass(Milliseconds(100))
    const wider = server.last(`PUT ${MITIGATE}`)
    expect(wider.mitigationId).toBeGreaterThan(old.mitigationId!)
    server.answer(wider, Code.badRequest)
    server.pass(MINUTE)
    expect(server.requests(`DELETE ${MITIGATE}`)).toEqual([])
    expect(states(server)).toEqual(['in-force', 'refused'])
  })

  it('does not repeat what nobody wants any more, and takes it up when it is wanted again', () => {
    const server = new ScriptedServer()
    const net = want('net', target('198.51.100.0/28'))
    server.connect()
    server.want(web)
    const first = server.last(`PUT ${MITIGATE}`).mitigationId
    const putsOfFirst = (): number =>
      server.requests(`PUT ${MITIGATE}`).filter((put) => put.mitigationId === first).length
    server.want(web, net)
    server.pass(MINUTE)
    expect(putsOfFirst()).toBe(1)
    server.answer(server.last(`PUT ${MITIGATE}`), Code.badRequest)
    server.want(web)
    server.pass(MINUTE)
    expect(putsOfFirst()).toBeGreaterThan(1)
  })

  it('answers the heartbeats of the server, and nothing else that it asks', () => {
    const server = new ScriptedServer()
    server.connect()
    server.pass(Seconds(40))
    const own = server.last('PUT /.well-known/dots/hb')
    const sent = server.outputs.filter((output) => output.kind === 'send').length
    const request = { ...own.message, type: 'non-confirmable' as const, messageId: 7 }
    server.replay(request)
    expect(server.outputs.filter((output) => output.kind === 'send').length).toBe(sent + 1)
    expect(server.lastCode()).toBe(Code.changed)
    server.replay({ ...request, messageId: 8, payload: Uint8Array.of(0xff) })
    expect(server.lastCode()).toBe(Code.badRequest)
    server.replay({ ...request, messageId: 9, code: 1 })
    expect(server.lastCode()).toBe(Code.methodNotAllowed)
    server.replay({ ...request, messageId: 10, options: [] })
    expect(server.lastCode()).toBe(Code.notFound)
  })

  it('survives anything that a server sends', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const { connection } = server
    for (let length = 0; length < 40; length++)
      server.feed({ kind: 'datagram', connection, bytes: new Uint8Array(length).fill(length * 7) })
    server.grant(600)
    expect(states(server)).toEqual(['in-force'])
  })
})
