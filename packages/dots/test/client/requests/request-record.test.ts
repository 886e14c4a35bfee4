import { Seconds, WallTime, encodeUtf8 } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { readLegacy } from '../../../src/client/memory/client-records.ts'
import {
  decodeRequest,
  encodeNumbering,
  encodeRequest,
  parseRequestKey
} from '../../../src/client/requests/request-record.ts'
import type { RecordedState, RequestRecord } from '../../../src/client/requests/request-record.ts'
import { ProtectionId, mitigationId, parseCuid } from '../../../src/domain/identifier.ts'
import { target } from '../../multihoming/sites.ts'
import { ScriptedServer, want } from '../scripted-server.ts'

const moment = WallTime(1_767_225_600_000)

const states: readonly RecordedState[] = [
  { kind: 'asked' },
  { kind: 'granted', until: moment, refreshAt: WallTime(moment - 1000) },
  { kind: 'granted', until: 'never', refreshAt: 'never' },
  { kind: 'refused', refusal: { kind: 'refused', text: '4.00' }, retryAt: undefined },
  { kind: 'refused', refusal: { kind: 'conflict', cause: 'accept-list', text: '4.09' }, retryAt: moment },
  { kind: 'withdrawing', until: moment }
]

function recordWith(state: RecordedState): RequestRecord {
  return {
    mitigationId: mitigationId(7)!,
    trigger: state.kind === 'asked' ? 'signal-loss' : 'immediate',
    target: {
      ...target('198.51.100.7/32', '2001:db8::/48'),
      ports: [{ lower: 80, upper: 443 }],
      protocols: [6]
    },
    lifetime: state.kind === 'granted' && state.until === 'never' ? 'indefinite' : 3600,
    protections: [ProtectionId('web')],
    state
  }
}

describe('the record of a request', () => {
  it.each(states)('says all of it: $kind', (state) => {
    const record = recordWith(state)
    expect(decodeRequest(record.mitigationId, encodeRequest(record))).toEqual(record)
  })

  it('is named after server and id; names of servers may have a slash', () => {
    expect(parseRequestKey('isp-a/second/42')).toEqual({ server: 'isp-a/second', id: 42 })
    for (const key of ['isp-a', 'isp-a/', 'isp-a/x', '/4294967296', 'isp-a/007'])
      expect(() => parseRequestKey(key)).toThrow('the key is not <server>/<mid>')
  })

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '{"version":2}',
    '{"version":1,"trigger":"immediate","prefixes":["198.51.100.7/33"]}',
    '{"version":1,"trigger":"immediate","lifetimeSeconds":-2,"prefixes":[]}',
    '{"version":1,"trigger":"immediate","lifetimeSeconds":1,"prefixes":[],"ports":[[9,1]]}',
    '{"version":1,"trigger":"immediate","lifetimeSeconds":1,"prefixes":[],"ports":[],"protocols":[256]}',
    '{"version":1,"trigger":"immediate","lifetimeSeconds":1,"prefixes":[],"ports":[],"protocols":[],"protections":["a"],"state":{"kind":"x"}}',
    '{"version":1,"trigger":"immediate","lifetimeSeconds":1,"prefixes":[],"ports":[],"protocols":[],"protections":[],"state":{"kind":"granted","until":"x"}}'
  ])('is refused when nobody wrote it: %s', (text) => {
    expect(() => decodeRequest(mitigationId(7)!, encodeUtf8(text))).toThrow(
      expect.objectContaining({ code: 'DOTS_CLIENT_RECORD_INVALID' })
    )
  })

  it('is reported, not used, when the numbering of its server is lost', () => {
    const heard: string[] = []
    const value = encodeRequest(recordWith({ kind: 'asked' }))
    const records = { requests: [{ key: 'isp-a/7', value }], numberings: [] }
    expect(readLegacy(records, (key) => heard.push(key)).size).toBe(0)
    expect(heard).toEqual(['isp-a/7'])
  })
})

describe('a request of an earlier life', () => {
  it('still keeps to the retry-timer of a conflict [RFC9132-4.4.2.1-M04]', () => {
    const server = new ScriptedServer()
    const id = mitigationId(1_767_225_600)!
    const cuid = server.association.cuid
    const calendar = WallTime(1_767_225_600_000 + 900_000)
    const refusal = { kind: 'conflict', text: '4.09 overlapping-targets' } as const
    const record: RequestRecord = {
      mitigationId: id,
      trigger: 'immediate',
      target: target('198.51.100.7/32'),
      lifetime: 3600,
      protections: [ProtectionId('web')],
      state: { kind: 'refused', refusal, retryAt: calendar }
    }
    const reservation = { upTo: id + 10, isRolledOver: false }
    server.feed({
      kind: 'resume',
      legacy: { numbering: { configured: cuid, cuid, reservation }, records: [record] },
      mayHear: () => true
    })
    server.connect()
    server.want(want('web', target('198.51.100.7/32')))
    server.pass(Seconds(890))
    const puts = (): number => server.requests('PUT /.well-known/dots/mitigate').length
    expect(puts()).toBe(0)
    server.pass(Seconds(20))
    expect(puts()).toBeGreaterThan(0)
    expect(server.last('PUT /.well-known/dots/mitigate').mitigationId).toBe(id)
  })

  it('is not ours when it was made with another credential', () => {
    const server = new ScriptedServer()
    const configured = parseCuid('another')!
    const value = encodeNumbering({
      configured,
      cuid: configured,
      reservation: { upTo: 9, isRolledOver: false }
    })
    const request = { key: 'isp-a/7', value: encodeRequest(recordWith({ kind: 'asked' })) }
    const legacies = readLegacy(
      { requests: [request], numberings: [{ key: 'isp-a', value }] },
      () => undefined
    )
    server.feed({ kind: 'resume', legacy: [...legacies.values()][0], mayHear: () => true })
    expect(server.association.requests).toEqual([])
    const forgotten = { kind: 'note-request', mitigationId: 7, record: undefined }
    expect(server.outputs).toContainEqual(forgotten)
  })
})
