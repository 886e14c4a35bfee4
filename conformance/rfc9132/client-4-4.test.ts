import { Code, OptionNumber } from '@breakwater/coap'
import { Minutes, Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { MINUTE, ScriptedServer, want } from '../../packages/dots/test/client/scripted-server.ts'
import { target } from '../../packages/dots/test/multihoming/sites.ts'

const MITIGATE = '/.well-known/dots/mitigate'
const web = want('web', target('198.51.100.7/32'))
const mail = want('mail', target('198.51.100.25/32'))

describe('RFC 9132 §4.4: the requests of a client', () => {
  it('are Non-confirmable, and repeated every 3 seconds without an estimate of the round trip [RFC9132-4.4-M02]', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web, mail)
    server.pass(MINUTE)
    const sent = server.heard.slice(1)
    expect(sent.map((each) => each.message.type)).toEqual(sent.map(() => 'non-confirmable'))
    // Both requests and the question that follows them still go by the round trip of the first answer.
    const settled = sent.slice(3)
    const gaps = settled.slice(1).map((each, index) => each.at - settled[index]!.at)
    expect(gaps.length).toBeGreaterThan(10)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(3000)
  })

  it('for protection do not wait for heartbeats or questions [RFC9132-4.4-M03]', () => {
    const server = new ScriptedServer()
    server.want(web)
    server.feed({ kind: 'start' })
    server.feed({ kind: 'established', connection: server.connection })
    expect(server.heard.map((each) => each.text.split('/')[0])).toEqual(['PUT '])
  })

  it('for protection do not wait for probing-rate, as questions to a silent server do [RFC9132-4.4-M03]', () => {
    const server = new ScriptedServer()
    server.feed({ kind: 'start' })
    server.feed({ kind: 'established', connection: server.connection })
    server.pass(Seconds(4))
    expect(server.heard.map((each) => each.text.split('/')[0])).toEqual(['GET '])
    server.want(web)
    server.pass(Seconds(10))
    const since = server.heard.slice(1)
    expect(since.map((each) => each.text.split('/')[0])).toEqual(['PUT ', 'PUT ', 'PUT ', 'PUT '])
    const gaps = since.slice(1).map((each, index) => each.at - since[index]!.at)
    expect(Math.max(...gaps)).toBe(3000)
  })

  it('carry a cuid and, behind it, a mid in the path, and neither in the body [RFC9132-4.4.1.1-M12] [RFC9132-4.4.1.1-M13] [RFC9132-4.4.1.1-M24]', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const put = server.last(`PUT ${MITIGATE}`)
    expect(put.text).toMatch(/^PUT \/\.well-known\/dots\/mitigate\/cuid=[A-Za-z0-9_-]{22}\/mid=[0-9]+$/)
    const [scope] = put.scope
    expect(Object.keys(scope ?? {}).filter((key) => ['cuid', 'mid', 'cdid'].includes(key))).toEqual([])
    expect(put.message.options.some((option) => option.number === OptionNumber.contentFormat)).toBe(true)
  })

  it('carry one scope, with a lifetime and a target, and no empty value [RFC9132-4.4.1.1-M18] [RFC9132-4.4.1.1-M21] [RFC9132-4.4.1.1-M22] [RFC9132-4.4.1.1-M23]', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web, mail, want('narrow', { ...target('198.51.100.80/32'), protocols: [6] }))
    server.pass(MINUTE)
    const puts = server.requests(`PUT ${MITIGATE}`)
    expect(new Set(puts.map((put) => put.mitigationId)).size).toBe(3)
    for (const { scope } of puts) {
      expect(scope).toHaveLength(1)
      expect(scope[0]?.lifetime).toBe(3600)
      expect(scope[0]?.targetPrefix).toHaveLength(1)
      for (const value of Object.values(scope[0] ?? {})) expect(value).not.toEqual([])
    }
  })

  it('have unique mids that grow, also when one replaces another [RFC9132-4.4.1.1-M08] [RFC9132-4.4.1.1-M09]', () => {
    const server = new ScriptedServer()
    server.connect()
    const wants = [web, mail, want('net', target('198.51.100.0/26')), want('rest', target('198.51.100.0/24'))]
    for (let count = 1; count <= wants.length; count++) {
      server.want(...wants.slice(0, count))
      server.grant(3600)
    }
    const mids = server.requests(`PUT ${MITIGATE}`).map((put) => put.mitigationId!)
    expect(mids).toHaveLength(4)
    expect(mids).toEqual([...new Set(mids)].toSorted((a, b) => a - b))
  })

  it('go on with a finite lifetime where an indefinite one was not granted [RFC9132-4.4.1.1-M19]', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(want('web', target('198.51.100.7/32'), 'indefinite'))
    const put = server.grant(600)
    expect(put.scope[0]?.lifetime).toBe(-1)
    server.pass(Seconds(440))
    expect(server.requests(`PUT ${MITIGATE}`).length).toBeGreaterThan(1)
    expect(server.last(`PUT ${MITIGATE}`).mitigationId).toBe(put.mitigationId)
  })

  it('refresh with the same mid and repeat all but the lifetime [RFC9132-4.4.1.3-M09]', () => {
    const server = new ScriptedServer()
    server.connect()
    const narrow = { ...target('198.51.100.7/32'), protocols: [17], ports: [{ lower: 53, upper: 53 }] }
    server.want(want('web', narrow, 600))
    const first = server.grant(600)
    server.want(want('web', narrow, 1200))
    server.pass(Seconds(440))
    const refresh = server.last(`PUT ${MITIGATE}`)
    expect(refresh).not.toBe(first)
    expect(refresh.text).toBe(first.text)
    expect(refresh.scope).toEqual([{ ...first.scope[0], lifetime: 1200 }])
  })

  it('do not come again before the retry-timer of a conflict is over [RFC9132-4.4.2.1-M04]', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const mid = server.grant(3600).mitigationId!
    server.pass(Seconds(1))
    const conflictInformation = { conflictStatus: 1, conflictCause: 1, retryTimer: 900 }
    const observation = server.last(`GET ${MITIGATE}/cuid=dz6pHjaADkaFTbjr0JGBpw/mid=`)
    server.notify(observation, 3, { mid, status: 7, lifetime: 945, conflictInformation })
    server.pass(Seconds(890))
    expect(server.requests(`PUT ${MITIGATE}`)).toHaveLength(1)
    server.pass(Seconds(20))
    expect(server.requests(`PUT ${MITIGATE}`).length).toBeGreaterThan(1)
  })

  it('withdraw with cuid and mid, and accept that the server never knew it', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const put = server.grant(3600)
    server.want()
    const withdrawal = server.last('DELETE')
    expect(withdrawal.text).toBe(put.text.replace('PUT', 'DELETE'))
    server.answer(withdrawal, Code.deleted)
    expect(server.association.requests).toEqual([])
  })
})

describe('RFC 9132 §4.7: the heartbeats of a client', () => {
  it('have no cuid, cdid or mid in their path [RFC9132-4.7-M02]', () => {
    const server = new ScriptedServer()
    server.connect()
    server.pass(Minutes(5))
    const heartbeats = server.heard.filter((each) => each.text.includes('/hb'))
    expect(heartbeats.length).toBeGreaterThanOrEqual(8)
    for (const { text } of heartbeats) expect(text).toBe('PUT /.well-known/dots/hb')
  })

  it('go on over a session that an attack has silenced [RFC9132-4.7-M06] [RFC9132-4.7-S01]', () => {
    const server = new ScriptedServer()
    server.connect()
    const { connection } = server
    server.want(web)
    server.grant(36_000)
    server.pass(Minutes(20))
    expect(server.association.state.kind).toBe('silent')
    const before = server.heard.length
    server.pass(Minutes(5))
    const over = server.heard.slice(before).filter((each) => each.connection === connection)
    expect(over.filter((each) => each.text.includes('/hb')).length).toBeGreaterThanOrEqual(8)
    expect(server.outputs).not.toContainEqual({ kind: 'close', connection })
  })

  it('without an answer and without an attack mean a lost session, which is established again [RFC9132-4.7-M03]', () => {
    const server = new ScriptedServer()
    server.connect()
    const { connection } = server
    server.pass(Minutes(12))
    expect(server.outputs).toContainEqual({ kind: 'close', connection })
    expect(server.connection).not.toBe(connection)
  })

  it('without an answer mean another thing while an attack is on: the session stays, and requests go over it and a new one [RFC9132-4.7-M05]', () => {
    const [quiet, attacked] = [new ScriptedServer(), new ScriptedServer()]
    quiet.connect()
    attacked.connect()
    const first = [quiet.connection, attacked.connection] as const
    attacked.want(web)
    attacked.grant(36_000)
    for (const server of [quiet, attacked]) server.pass(Minutes(12))
    expect(quiet.outputs).toContainEqual({ kind: 'close', connection: first[0] })
    expect(attacked.outputs).not.toContainEqual({ kind: 'close', connection: first[1] })
    const second = attacked.connection
    expect(second).not.toBe(first[1])
    attacked.feed({ kind: 'established', connection: attacked.connection })
    attacked.want(web, mail)
    attacked.pass(MINUTE)
    const over = attacked
      .requests(`PUT ${MITIGATE}`)
      .slice(1)
      .map((each) => each.connection)
    expect(new Set(over)).toEqual(new Set([first[1], second]))
  })
})
