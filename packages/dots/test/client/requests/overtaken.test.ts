import { Code } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { target } from '../../multihoming/sites.ts'
import { ScriptedServer, want } from '../scripted-server.ts'
import type { Heard } from '../scripted-server.ts'

/** A PUT that is overtaken by the DELETE that was to follow it begins a mitigation that nobody wants. */

const MITIGATE = '/.well-known/dots/mitigate'
const LIST = `GET ${MITIGATE}/cuid=dz6pHjaADkaFTbjr0JGBpw`
const web = want('web', target('198.51.100.7/32'))
const inForce = { status: 2, lifetime: 3600 }

/** Its only request was withdrawn before its PUT came to the server, which has nothing. */
function withdrawn(): { readonly server: ScriptedServer; readonly put: Heard; readonly list: Heard } {
  const server = new ScriptedServer()
  server.connect()
  server.want(web)
  server.pass(Seconds(1))
  const list = listOf(server)
  server.notify(list, 1, {})
  const put = server.last(`PUT ${MITIGATE}`)
  server.want()
  server.pass(Seconds(3))
  server.answer(server.last(`DELETE ${MITIGATE}`), Code.deleted)
  expect(server.association.requests).toEqual([])
  return { server, put, list }
}

function listOf(server: ScriptedServer): Heard {
  return server.heard.findLast((each) => each.text === LIST)!
}

function deletesOf(server: ScriptedServer): number {
  return server.requests(`DELETE ${MITIGATE}`).length
}

describe('a request that comes to the server behind its own withdrawal', () => {
  it('is withdrawn again when the server tells of it', () => {
    const { server, put, list } = withdrawn()
    const before = deletesOf(server)
    server.notify(list, 2, { mid: put.mitigationId!, ...inForce })
    server.pass(Seconds(4))
    expect(deletesOf(server)).toBeGreaterThan(before)
    expect(server.last(`DELETE ${MITIGATE}`).mitigationId).toBe(put.mitigationId)
    server.answer(server.last(`DELETE ${MITIGATE}`), Code.deleted)
    expect(server.association.requests).toEqual([])
  })

  it('is looked for when the last copy must have arrived, where the server tells of nothing by itself', () => {
    const { server, put, list } = withdrawn()
    server.answer(list, Code.notFound)
    server.pass(Seconds(90))
    expect(listOf(server)).toBe(list)
    server.pass(Seconds(20))
    expect(listOf(server)).not.toBe(list)
    server.answer(listOf(server), Code.content, { mid: put.mitigationId!, ...inForce })
    server.pass(Seconds(4))
    expect(server.heard.at(-1)?.text).toMatch(/^DELETE /)
  })

  it('is not withdrawn in a loop where the server keeps it all the same', () => {
    const { server, put, list } = withdrawn()
    const before = deletesOf(server)
    for (let round = 2; round < 22; round++) {
      server.notify(list, round, { mid: put.mitigationId!, ...inForce })
      server.pass(Seconds(3))
      for (const each of server.requests(`DELETE ${MITIGATE}`).slice(-1)) server.answer(each, Code.deleted)
    }
    expect(deletesOf(server)).toBe(before + 1)
  })

  it.each([
    ['withdrawn, and stays for its last moments', { status: 5, lifetime: 100 }],
    ['over', { status: 6, lifetime: 0 }],
    ['somebody else’s target', { ...inForce, targetPrefix: ['198.51.100.9/32'] }]
  ])('is left alone when the server says that it is %s', (_, report) => {
    const { server, put, list } = withdrawn()
    const before = deletesOf(server)
    server.notify(list, 2, { mid: put.mitigationId!, ...report })
    server.pass(Seconds(10))
    expect(deletesOf(server)).toBe(before)
  })

  it('is ended by the newer request where its target is wanted again', () => {
    const { server, put, list } = withdrawn()
    const before = deletesOf(server)
    server.want(web)
    server.notify(list, 2, { mid: put.mitigationId!, ...inForce })
    server.pass(Seconds(4))
    expect(deletesOf(server)).toBe(before)
    expect(server.grant(3600).mitigationId).toBeGreaterThan(put.mitigationId!)
  })

  it('is not looked for when it has been in force for long: no copy of its PUT is under way then', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    const put = server.grant(3600)
    server.pass(Seconds(1))
    const list = listOf(server)
    server.answer(list, Code.content, { mid: put.mitigationId!, ...inForce })
    server.pass(Seconds(200))
    server.want()
    server.pass(Seconds(4))
    server.answer(server.last(`DELETE ${MITIGATE}`), Code.deleted)
    server.pass(Seconds(150))
    expect(listOf(server)).toBe(list)
  })
})
