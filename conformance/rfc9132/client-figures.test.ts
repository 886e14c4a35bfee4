import { Code, OptionNumber, findOption } from '@breakwater/coap'
import { Seconds, fromHex } from '@breakwater/core'
import { decodeSignal } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import { ScriptedServer, want } from '../../packages/dots/test/client/scripted-server.ts'
import { target } from '../../packages/dots/test/multihoming/sites.ts'

const MITIGATE = '/.well-known/dots/mitigate'
const CUID = 'cuid=dz6pHjaADkaFTbjr0JGBpw'

/** What Figures 7 and 16 ask for. */
const attacked = {
  ...target('2001:db8:6401::1/128', '2001:db8:6401::2/128'),
  ports: [80, 443, 8080].map((port) => ({ lower: port, upper: port })),
  protocols: [6]
}

/** The body of Figure 7 as Figure 8 has it, byte for byte. */
const FIGURE_8 = `
  A1 01 A1 02 81 A4 06 82 74 323030313A6462383A363430313A3A312F313238 74 323030313A6462383A363430313A3A322F313238
  07 83 A1 08 1850 A1 08 1901BB A1 08 191F90 0A 81 06 0E 190E10`

/** The message sequences that RFC 9132 draws for a client, message by message. */
describe('the figures of RFC 9132', () => {
  it('5, 7 and 8: a request for mitigation, its path and its body', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(want('web', attacked))
    const put = server.last(`PUT ${MITIGATE}`)
    expect(put.text).toBe(`PUT ${MITIGATE}/${CUID}/mid=${put.mitigationId}`)
    expect(findOption(put.message.options, OptionNumber.contentFormat)?.value).toEqual(Uint8Array.of(1, 15))
    expect(put.message.payload).toEqual(fromHex(FIGURE_8.replaceAll(/\s/g, '')))
  })

  it('11: a conflicting cuid, and the same request with a new one', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(want('web', attacked))
    const first = server.last(`PUT ${MITIGATE}`)
    server.answer(first, Code.conflict, { conflictInformation: { conflictCause: 3 } })
    server.pass(Seconds(4))
    const second = server.last(`PUT ${MITIGATE}`)
    expect(second.text).toMatch(new RegExp(`/cuid=[A-Za-z0-9_-]{22}/mid=${first.mitigationId}$`))
    expect(second.text).not.toContain(CUID)
    expect(second.message.payload).toEqual(first.message.payload)
  })

  it('12 and 13: what the server has of a client, and of one request', () => {
    const server = new ScriptedServer()
    server.connect()
    expect(server.requests('GET').map(({ text }) => text)).toEqual([`GET ${MITIGATE}/${CUID}`])
    server.want(want('web', attacked))
    const { mitigationId } = server.grant(3600)
    server.pass(Seconds(4))
    expect(server.requests('GET').map(({ text }) => text)).toContain(
      `GET ${MITIGATE}/${CUID}/mid=${mitigationId}`
    )
  })

  it('15 and 17: a mitigation from in progress to stopped, told by notifications, and its withdrawal', () => {
    const server = new ScriptedServer()
    server.connect()
    server.want(want('web', attacked))
    const { mitigationId: mid } = server.grant(3600)
    server.pass(Seconds(4))
    const registration = server.last(`GET ${MITIGATE}/${CUID}/mid=${mid}`)
    expect(findOption(registration.message.options, OptionNumber.observe)?.value).toHaveLength(0)
    const seen = [
      [12, 1],
      [44, 2],
      [60, 3]
    ].map(([sequence, status]) => {
      server.notify(registration, sequence!, { mid: mid!, status: status! })
      return server.association.requests[0]?.report?.status
    })
    expect(seen).toEqual([1, 2, 3])
    // One that was overtaken on its way says nothing new (RFC 7641 §3.4).
    server.notify(registration, 44, { mid: mid!, status: 2 })
    expect(server.association.requests[0]?.report?.status).toBe(3)
    server.want()
    server.pass(Seconds(4))
    const withdrawal = server.last('DELETE')
    expect(withdrawal.text).toBe(`DELETE ${MITIGATE}/${CUID}/mid=${mid}`)
    expect(withdrawal.message.payload).toHaveLength(0)
    server.answer(withdrawal, Code.deleted)
    expect(server.association.requests).toEqual([])
  })

  it('27 and 28: a heartbeat with its answer, either way', () => {
    const server = new ScriptedServer()
    server.connect()
    server.pass(Seconds(31))
    const heartbeat = server.last('PUT /.well-known/dots/hb')
    expect(heartbeat.message.type).toBe('non-confirmable')
    expect(decodeSignal(heartbeat.message.payload)).toEqual({ heartbeat: { peerHbStatus: true } })
    server.answer(heartbeat, Code.changed)
    server.replay({ ...heartbeat.message, messageId: 7, token: Uint8Array.of(1) })
    expect(server.lastCode()).toBe(Code.changed)
  })
})
