import { Code, OptionNumber, findOption, uintOption } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { ProtectionId } from '../../packages/dots/src/index.ts'
import { MINUTE, ScriptedServer, want } from '../../packages/dots/test/client/scripted-server.ts'
import { target } from '../../packages/dots/test/multihoming/sites.ts'

const MITIGATE = '/.well-known/dots/mitigate'
const narrow = { ...target('198.51.100.7/32'), protocols: [6], ports: [{ lower: 443, upper: 443 }] }

function queryOf(options: readonly { readonly number: number; readonly value: Uint8Array }[]): string {
  const query = findOption(options, OptionNumber.uriQuery)
  return query === undefined ? '' : String.fromCharCode(...query.value)
}

function protectedServer(): ScriptedServer {
  const server = new ScriptedServer()
  server.connect()
  server.want(want('web', narrow))
  server.grant(3600)
  server.pass(Seconds(1))
  return server
}

function update(server: ScriptedServer, attackStatus: 'under-attack' | 'mitigated'): void {
  server.feed({ kind: 'efficacy', protection: ProtectionId('web'), attackStatus })
  server.pass(Seconds(4))
}

describe('RFC 9132 §4.4.3: efficacy updates of a client', () => {
  it('repeat the request under an If-Match without a value, with the attack-status (Figure 16) [RFC9132-4.4.3-M01] [RFC9132-4.4.3-O01]', () => {
    const server = protectedServer()
    const first = server.last(`PUT ${MITIGATE}`)
    update(server, 'under-attack')
    const sent = server.last(`PUT ${MITIGATE}`)
    expect(sent).not.toBe(first)
    expect(sent.text).toBe(first.text)
    expect(findOption(sent.message.options, OptionNumber.ifMatch)?.value).toEqual(new Uint8Array(0))
    expect(sent.scope).toEqual([{ ...first.scope[0], attackStatus: 1 }])
    expect(sent.message.type).toBe('non-confirmable')
  })

  it('count as a refresh, which they answer for', () => {
    const server = protectedServer()
    server.pass(Seconds(2000))
    update(server, 'mitigated')
    const sent = server.last(`PUT ${MITIGATE}`)
    expect(sent.scope[0]?.attackStatus).toBe(2)
    server.answer(sent, Code.changed, { mid: sent.mitigationId!, lifetime: 3600 })
    const before = server.requests(`PUT ${MITIGATE}`).length
    server.pass(Seconds(2000))
    expect(server.requests(`PUT ${MITIGATE}`)).toHaveLength(before)
  })

  it('are put off by 5.03: said again when Max-Age is over, with what is seen by then', () => {
    const server = protectedServer()
    update(server, 'under-attack')
    const sent = server.last(`PUT ${MITIGATE}`)
    server.answer(sent, Code.serviceUnavailable, undefined, [uintOption(OptionNumber.maxAge, 90)])
    const before = server.requests(`PUT ${MITIGATE}`).length
    server.pass(Seconds(40))
    update(server, 'mitigated')
    server.pass(Seconds(40))
    expect(server.requests(`PUT ${MITIGATE}`)).toHaveLength(before)
    expect(server.association.requests.map(({ state }) => state.kind)).toEqual(['in-force'])
    server.pass(Seconds(10))
    const again = server.last(`PUT ${MITIGATE}`)
    expect(again).not.toBe(sent)
    expect(again.scope[0]?.attackStatus).toBe(2)
    server.answer(again, Code.changed, { mid: again.mitigationId!, lifetime: 3600 })
    const after = server.requests(`PUT ${MITIGATE}`).length
    server.pass(Seconds(200))
    expect(server.requests(`PUT ${MITIGATE}`)).toHaveLength(after)
  })

  it('are given up when nobody answers: the server ignores those of mitigations that it does not have', () => {
    const server = protectedServer()
    update(server, 'under-attack')
    server.pass(MINUTE)
    const before = server.requests(`PUT ${MITIGATE}`).length
    expect(before).toBeLessThanOrEqual(12)
    server.pass(Seconds(300))
    expect(server.requests(`PUT ${MITIGATE}`)).toHaveLength(before)
  })
})

describe('RFC 9132 §4.4.2: how a client learns of its mitigations', () => {
  it('asks for what changes only while the attack is on [RFC9132-4.4.2-S01]', () => {
    const server = protectedServer()
    const question = server.last(`GET ${MITIGATE}/cuid=dz6pHjaADkaFTbjr0JGBpw/mid=`)
    expect(queryOf(question.message.options)).toBe('c=n')
  })

  it('observes all its mitigations, so that news of a request comes where its answer is lost', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(want('web', narrow))
    const { mitigationId: mid } = server.grant(3600)
    server.pass(Seconds(4))
    server.answer(server.last(`GET ${MITIGATE}/cuid=dz6pHjaADkaFTbjr0JGBpw/mid`), Code.content, { mid: mid! })
    server.pass(Seconds(4))
    const watch = server.last(`GET ${MITIGATE}/cuid=`)
    expect(watch.text).toBe(`GET ${MITIGATE}/cuid=dz6pHjaADkaFTbjr0JGBpw`)
    const [first] = server.association.requests
    server.notify(watch, 1, { mid: first!.mitigationId, status: 2, lifetime: 3590 })
    server.want(want('web', narrow), want('mail', target('198.51.100.25/32')))
    server.pass(Seconds(4))
    const put = server.last(`PUT ${MITIGATE}`)
    const news = { ...put.scope[0], mid: put.mitigationId!, status: 1, lifetime: 3599 }
    server.notify(watch, 2, news)
    expect(server.association.requests.map((each) => each.state.kind)).toEqual(['in-force', 'in-force'])
    server.pass(Seconds(20))
    expect(server.last(`PUT ${MITIGATE}`)).toBe(put)
  })

  it('does not take a report of another target for its own request', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(want('web', narrow))
    const put = server.last(`PUT ${MITIGATE}`)
    server.pass(MINUTE)
    const watch = server.requests(`GET ${MITIGATE}/cuid=`).at(-1)!
    const other = { mid: put.mitigationId!, status: 2, lifetime: 60, targetPrefix: ['198.51.100.9/32'] }
    server.answer(watch, Code.content, other, [uintOption(OptionNumber.observe, 1)])
    expect(server.association.requests.map((each) => each.state.kind)).toEqual(['asking'])
  })

  it('repeats an unanswered request every 3 seconds eight times before a question takes every other turn', () => {
    const server = new ScriptedServer()
    server.connect()
    const before = server.heard.length
    server.want(want('web', narrow))
    server.pass(Seconds(40))
    const kinds = server.heard
      .slice(before)
      .map((each) => (each.text.startsWith('PUT /.well-known/dots/m') ? 'P' : 'q'))
    expect(kinds.join('')).toMatch(/^Pq?P{7}/)
    expect(kinds.filter((kind) => kind === 'P').length).toBeGreaterThanOrEqual(10)
  })

  it('polls a server that serves no observers, and never faster than its pace [RFC9132-4.4.2.2-M01]', () => {
    const server = protectedServer()
    const question = `GET ${MITIGATE}/cuid=dz6pHjaADkaFTbjr0JGBpw/mid=`
    for (let round = 0; round < 8; round++) {
      server.answer(server.last(question), Code.content, {
        mid: server.last(question).mitigationId!,
        status: 2
      })
      server.pass(Seconds(40))
    }
    const polls = server.requests(question)
    expect(polls.length).toBeGreaterThanOrEqual(4)
    const gaps = polls.slice(1).map(({ at }, index) => at - polls[index]!.at)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(3000)
  })
})
