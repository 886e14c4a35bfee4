import { Code, OptionNumber, uintOption } from '@breakwater/coap'
import { Minutes, Seconds, after } from '@breakwater/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { target } from '../../multihoming/sites.ts'
import { ScriptedServer, want } from '../scripted-server.ts'
import type { Heard } from '../scripted-server.ts'

const net = want('net', target('198.51.100.0/24'), 3600, 'signal-loss')
const MITIGATE = '/.well-known/dots/mitigate'

/** What the server says: in force and successful, the attack stopped, standing by. */
const [MITIGATED, STANDS_BY] = [2, 8]

let server: ScriptedServer
let put: Heard

/** It is wanted of another server from now on. */
function handOver(): void {
  const holdUntil = after(server.now, Seconds(30))
  server.feed({ kind: 'want', wants: [], holdUntil, keepsTriggered: true })
  // RFC 9132 §4.5: questions go at the probing rate.
  server.pass(Seconds(25))
}

function says(status: number): void {
  const observation = server.last(`GET ${MITIGATE}/cuid=dz6pHjaADkaFTbjr0JGBpw/mid=${put.mitigationId}`)
  server.answer(observation, Code.content, { mid: put.mitigationId!, status, lifetime: 3000 })
}

function deletions(): Heard[] {
  return server.requests('DELETE')
}

beforeEach(() => {
  server = new ScriptedServer({ heartbeatIntervalSeconds: 0 })
  server.connect()
  server.want(net)
  put = server.grant(3600)
  server.pass(Seconds(1))
  const lists = server.requests(`GET ${MITIGATE}`).filter((each) => each.mitigationId === undefined)
  const listed = { mid: put.mitigationId!, status: STANDS_BY, lifetime: 3600 }
  server.answer(lists.at(-1)!, Code.content, listed, [uintOption(OptionNumber.observe, 1)])
  says(STANDS_BY)
  server.pass(Seconds(10))
})

describe('what was preconfigured and is wanted of another server now', () => {
  it('is asked about, for it may be in force, and withdrawn when it only stands by', () => {
    const before = server.requests(`GET ${MITIGATE}`).length
    handOver()
    expect(server.requests(`GET ${MITIGATE}`).length).toBeGreaterThan(before)
    says(STANDS_BY)
    server.pass(Seconds(4))
    expect(deletions()).toEqual([])
    server.pass(Seconds(45))
    expect(deletions()[0]?.mitigationId).toBe(put.mitigationId)
  })

  it('stays while nobody knows whether it is in force: what the server said before does not count', () => {
    handOver()
    server.pass(Minutes(20))
    expect(deletions()).toEqual([])
  })

  it('stays, and is refreshed, for as long as it is in force', () => {
    handOver()
    says(MITIGATED)
    const before = server.requests('PUT').length
    server.pass(Minutes(45))
    expect(deletions()).toEqual([])
    expect(server.requests('PUT').length).toBeGreaterThan(before)
    expect(server.last('PUT').mitigationId).toBe(put.mitigationId)
    server.grant(3600)
    says(STANDS_BY)
    server.pass(Seconds(45))
    expect(deletions()[0]?.mitigationId).toBe(put.mitigationId)
  })

  it('is not asked anew by a server that does not have it any more', () => {
    handOver()
    const before = server.requests('PUT').length
    server.answer(
      server.last(`GET ${MITIGATE}/cuid=dz6pHjaADkaFTbjr0JGBpw/mid=${put.mitigationId}`),
      Code.notFound
    )
    server.pass(Minutes(5))
    expect(server.requests('PUT')).toHaveLength(before)
    expect(server.association.requests).toEqual([])
  })

  it('is withdrawn at once where it is wanted of nobody', () => {
    server.want()
    server.pass(Seconds(4))
    expect(deletions()[0]?.mitigationId).toBe(put.mitigationId)
  })
})
