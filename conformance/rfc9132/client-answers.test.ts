import { Code, OptionNumber, formatCode, uintOption } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import type { MitigationScopeEntry } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import { ScriptedServer, want } from '../../packages/dots/test/client/scripted-server.ts'
import { target } from '../../packages/dots/test/multihoming/sites.ts'

const MITIGATE = '/.well-known/dots/mitigate'
const web = want('web', target('198.51.100.7/32'))

interface Row {
  readonly code: number
  readonly scope?: MitigationScopeEntry
  readonly maxAge?: number
  /** How the request stands then. */
  readonly state: string
  /** Seconds until it is asked again; `never`: until something else is wanted. */
  readonly again: number | 'never'
}

/** What a client makes of every answer to a mitigation request (RFC 9132 §4.4.1.3, §9; RFC 7252 §5.9; RFC 8516; RFC 8768). */
const table: readonly Row[] = [
  { code: Code.created, scope: { lifetime: 36_000 }, state: 'in-force', again: 'never' },
  { code: Code.changed, scope: { lifetime: 36_000 }, state: 'in-force', again: 'never' },
  { code: Code.content, scope: { lifetime: 36_000 }, state: 'in-force', again: 'never' },
  { code: Code.badRequest, state: 'refused refused', again: 'never' },
  { code: Code.unauthorized, state: 'refused refused', again: 'never' },
  { code: Code.forbidden, state: 'refused refused', again: 'never' },
  { code: Code.notFound, state: 'refused refused', again: 'never' },
  { code: Code.methodNotAllowed, state: 'refused refused', again: 'never' },
  { code: Code.preconditionFailed, state: 'refused refused', again: 'never' },
  { code: Code.requestEntityTooLarge, state: 'refused refused', again: 'never' },
  { code: Code.unsupportedContentFormat, state: 'refused refused', again: 'never' },
  { code: Code.unprocessableEntity, state: 'refused refused', again: 'never' },
  { code: Code.tooManyRequests, maxAge: 40, state: 'refused unavailable', again: 40 },
  { code: Code.internalServerError, state: 'refused unavailable', again: 60 },
  { code: Code.notImplemented, state: 'refused unavailable', again: 60 },
  { code: Code.serviceUnavailable, maxAge: 90, state: 'refused unavailable', again: 90 },
  { code: Code.serviceUnavailable, state: 'refused unavailable', again: 60 },
  { code: 0xa8, state: 'refused unavailable', again: 60 },
  {
    code: Code.conflict,
    scope: { conflictInformation: { conflictStatus: 1, conflictCause: 1, retryTimer: 120 } },
    state: 'refused conflict',
    again: 120
  },
  {
    code: Code.conflict,
    scope: { conflictInformation: { conflictStatus: 1, conflictCause: 2, retryTimer: 200 } },
    state: 'refused conflict',
    again: 200
  },
  {
    code: Code.conflict,
    scope: { conflictInformation: { conflictCause: 2 } },
    state: 'refused conflict',
    again: 'never'
  }
]

function asked(row: Row): ScriptedServer {
  const server = new ScriptedServer()
  server.connect()
  server.want(web)
  const options = row.maxAge === undefined ? [] : [uintOption(OptionNumber.maxAge, row.maxAge)]
  const put = server.last(`PUT ${MITIGATE}`)
  server.answer(put, row.code, row.scope && { mid: put.mitigationId!, ...row.scope }, options)
  return server
}

function standing(server: ScriptedServer): string[] {
  return server.association.requests.map(({ state }) =>
    state.kind === 'refused' ? `refused ${state.refusal.kind}` : state.kind
  )
}

function puts(server: ScriptedServer): number {
  return server.requests(`PUT ${MITIGATE}`).length
}

describe('the answers to a mitigation request', () => {
  it.each(table.map((row) => [formatCode(row.code), row] as const))('%s: %j', (_, row) => {
    const server = asked(row)
    expect(standing(server)).toEqual([row.state])
    server.pass(Seconds(row.again === 'never' ? 300 : row.again - 2))
    expect(puts(server)).toBe(1)
    if (row.again === 'never') return
    server.pass(Seconds(6))
    expect(puts(server)).toBeGreaterThan(1)
  })

  it('that came too soon are not asked for again under another id, whoever wants the same [RFC9132-4.4.2.1-M04]', () => {
    const conflictInformation = { conflictStatus: 1, conflictCause: 1, retryTimer: 300 }
    const server = asked({ code: Code.conflict, scope: { conflictInformation }, state: '', again: 300 })
    server.want()
    server.pass(Seconds(4))
    server.answer(server.last('DELETE'), Code.deleted)
    expect(server.association.requests).toEqual([])
    server.want(want('again', web.target))
    server.pass(Seconds(280))
    expect(puts(server)).toBe(1)
    expect(standing(server)).toEqual(['refused conflict'])
    server.pass(Seconds(20))
    expect(puts(server)).toBeGreaterThan(1)
  })

  it('with a cuid collision bring another cuid, but not while a mitigation is active [RFC9132-4.4.1.1-M03] [RFC9132-4.4.1.1-M06]', () => {
    const collision = { conflictInformation: { conflictCause: 3 } }
    const fresh = asked({ code: Code.conflict, scope: collision, state: '', again: 'never' })
    fresh.pass(Seconds(4))
    expect(fresh.last(`PUT ${MITIGATE}`).text).not.toContain('cuid=dz6pHjaADkaFTbjr0JGBpw')
    const busy = asked({ code: Code.created, scope: { lifetime: 36_000 }, state: '', again: 'never' })
    busy.want(web, want('mail', target('198.51.100.25/32')))
    busy.pass(Seconds(4))
    busy.answer(busy.last(`PUT ${MITIGATE}`), Code.conflict, collision)
    busy.pass(Seconds(10))
    for (const put of busy.requests(`PUT ${MITIGATE}`))
      expect(put.text).toContain('cuid=dz6pHjaADkaFTbjr0JGBpw')
  })

  it('say of a mitigation that is active all the same what it conflicts with', () => {
    const conflictInformation = { conflictStatus: 2, conflictCause: 1 }
    const scope = { lifetime: 3600, conflictInformation }
    const server = asked({ code: Code.created, scope, state: '', again: 'never' })
    expect(server.association.requests).toMatchObject([
      { state: { kind: 'in-force' }, conflict: 'overlapping-targets' }
    ])
  })
})

describe('what a client never sends', () => {
  it('is a cdid: gateways add it [RFC9132-4.4.1.2-M03]', () => {
    const server = asked({ code: Code.created, scope: { lifetime: 60 }, state: '', again: 'never' })
    server.pass(Seconds(120))
    server.want()
    server.pass(Seconds(10))
    expect(server.heard.length).toBeGreaterThan(5)
    for (const { text, scope } of server.heard) {
      expect(text).not.toContain('cdid')
      for (const entry of scope) expect(entry.cdid).toBeUndefined()
    }
  })
})
