import { Code } from '@breakwater/coap'
import { Milliseconds, Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { target } from '../multihoming/sites.ts'
import { ScriptedServer, want } from './scripted-server.ts'

const web = want('web', target('198.51.100.7/32'))
const mail = want('mail', target('198.51.100.25/32'))

/** A server that went silent while a mitigation is in force, and a second session beside the silent one. */
function silenced(): { server: ScriptedServer; rival: ScriptedServer['connection'] } {
  const server = new ScriptedServer()
  server.connect()
  server.want(web)
  server.grant(36_000)
  server.pass(Seconds(30 * 20))
  const rival = server.connection
  server.pass(Milliseconds(20))
  server.feed({ kind: 'established', connection: rival })
  return { server, rival }
}

/** The server's own heartbeats go on for so many intervals; ours get no answer. */
function probe(server: ScriptedServer, intervals: number): void {
  for (let round = 0; round < intervals; round++) {
    server.pass(Seconds(30))
    const own = server.last('PUT /.well-known/dots/hb')
    if (own.connection !== server.connection) return
    server.replay({ ...own.message, type: 'non-confirmable', messageId: 100 + round })
  }
}

describe('an attack that goes on and on', () => {
  it('a rival that falls silent, too, is replaced: no client waits for ever on two dead sessions', () => {
    const { server, rival } = silenced()
    server.pass(Seconds(30 * 20))
    expect(server.outputs).toContainEqual({ kind: 'close', connection: rival })
    const next = server.connection
    expect(next).not.toBe(rival)
    server.feed({ kind: 'established', connection: next })
    server.pass(Seconds(4))
    const over = server.heard.findLast((each) => each.connection === next)
    server.answer(over!, Code.content, { mid: 1, status: 2, lifetime: 100 })
    expect(server.association.state).toMatchObject({ kind: 'established', connection: next })
  })

  it('two sessions with one server share what RFC 9132 §4.4 allows to send there', () => {
    const { server, rival } = silenced()
    server.want(web, mail)
    server.pass(Seconds(10))
    const { now, heard } = server
    const before = heard.length
    server.pass(Seconds(60))
    const later = heard.slice(before)
    expect(later.filter((each, index) => index > 0 && each.at - later[index - 1]!.at < 3000)).toEqual([])
    expect(later.length).toBeGreaterThan(15)
    const puts = later.filter((each) => each.text.startsWith('PUT') && each.mitigationId !== undefined)
    expect(new Set(puts.map((each) => each.connection)).size).toBe(2)
    expect(puts.some((each) => each.connection === rival && each.at < now + 10_000)).toBe(true)
  })
})

describe('a server that is heard but does not answer heartbeats', () => {
  it('counts as disconnected when no attack is on, and another session is tried [RFC9132-4.7-M03]', () => {
    const server = new ScriptedServer()
    server.connect()
    const { connection } = server
    server.pass(Seconds(40))
    probe(server, 20)
    expect(server.outputs).toContainEqual({ kind: 'close', connection })
    expect(server.connection).not.toBe(connection)
    expect(server.association.state.kind).toBe('connecting')
  })

  it('keeps its session during an attack, and another is tried beside it [RFC9132-4.7-S02]', () => {
    const server = new ScriptedServer()
    server.connect()
    const { connection } = server
    server.want(web)
    server.grant(36_000)
    server.pass(Seconds(40))
    probe(server, 20)
    expect(server.outputs).not.toContainEqual({ kind: 'close', connection })
    expect(server.association.state).toMatchObject({ kind: 'silent', connection })
    expect(server.connection).not.toBe(connection)
  })
})

describe('a server that answers nothing', () => {
  it('goes on hearing of what is wanted now, however much there is to withdraw', () => {
    const server = new ScriptedServer()
    server.connect()
    for (const each of [[web], [web, mail]]) {
      server.want(...each)
      server.grant(36_000)
    }
    server.want(want('shop', target('198.51.100.60/32')))
    server.pass(Seconds(300))
    const wanted = server.requests('PUT /.well-known/dots/mitigate').at(-1)
    expect(wanted?.scope[0]?.targetPrefix).toEqual(['198.51.100.60/32'])
    expect(server.now - (wanted?.at ?? 0)).toBeLessThan(15_000)
    for (const mid of server.requests('DELETE').slice(-2)) expect(server.now - mid.at).toBeLessThan(15_000)
  })
})

describe('what is wanted again before the server has heard that it was not', () => {
  it('is asked for by a newer request, and no DELETE of the old one follows, which would take it away', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(want('net', target('198.51.100.0/28')))
    const old = server.grant(36_000)
    server.want()
    server.pass(Seconds(10))
    const deletes = server.requests('DELETE').length
    expect(deletes).toBeGreaterThan(1)
    server.want(web)
    server.pass(Seconds(30))
    expect(server.requests('DELETE')).toHaveLength(deletes)
    const put = server.grant(36_000)
    expect(put.mitigationId).toBeGreaterThan(old.mitigationId ?? 0)
    server.pass(Seconds(30))
    expect(server.requests('DELETE')).toHaveLength(deletes)
    expect(server.association.requests.map((each) => each.mitigationId)).toEqual([put.mitigationId])
  })
})

describe('a server of which nothing is heard any more', () => {
  it('during an attack, is tried by another session when the heartbeat after two intervals is due; the old one is kept', () => {
    const server = new ScriptedServer()
    server.connect()
    const { connection } = server
    server.want(web)
    server.grant(36_000)
    server.pass(Seconds(59))
    expect(server.connection).toBe(connection)
    server.pass(Seconds(3 * 33 - 59))
    expect(server.connection).not.toBe(connection)
    expect(server.outputs).not.toContainEqual({ kind: 'close', connection })
    expect(server.association.state).toMatchObject({ kind: 'silent', connection })
  })

  it('is tried at once when an attack begins later than that', () => {
    const server = new ScriptedServer()
    server.connect()
    const { connection } = server
    server.pass(Seconds(100))
    expect(server.connection).toBe(connection)
    server.want(web)
    expect(server.connection).not.toBe(connection)
  })

  it('without an attack, has all the heartbeats that RFC 9132 §4.7 allows it to miss', () => {
    const server = new ScriptedServer()
    server.connect()
    const { connection } = server
    server.pass(Seconds(15 * 30 - 30))
    expect(server.connection).toBe(connection)
  })

  it('is not tried while its own heartbeats come, although it does not answer ours', () => {
    const server = new ScriptedServer()
    server.connect()
    const { connection } = server
    server.want(web)
    server.grant(36_000)
    probe(server, 5)
    expect(server.connection).toBe(connection)
  })
})
