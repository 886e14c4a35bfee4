import { Value } from 'typebox/value'
import { loadControlSchemas } from '@breakwater/control'
import { Instant, parseIpPrefix } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { DomainName, mitigationId, ProtectionId, ServerName } from '@breakwater/dots'
import type { ProtectionStatus, RequestReport } from '@breakwater/dots'
import { describe, expect, it } from 'vitest'
import { ProtectionBook } from '../../src/client/protection-book.ts'
import { protectionView } from '../../src/client/protection-view.ts'

const prefix = parseIpPrefix('203.0.113.0/24') as IpPrefix
const target = { prefixes: [prefix], ports: [], protocols: [17] }
const NOW = Instant(0)
const [server, domain, id] = [ServerName('isp-a'), DomainName('isp-a'), ProtectionId('p-1')]

function status(state: ProtectionStatus['state']): ProtectionStatus {
  return {
    id,
    state,
    alarm: false,
    target,
    named: undefined,
    names: [],
    require: 'all',
    policy: 'all',
    servers: [
      {
        server,
        domain,
        prefixes: [prefix],
        state: 'in-force',
        because: '',
        text: 'the server protects it',
        mitigationIds: []
      }
    ],
    disagreement: [],
    missing: [
      { kind: 'uncovered', domain: DomainName('isp-b'), server: undefined, text: 'isp-b has no DOTS server' },
      { kind: 'waiting', domain, server, text: 'there is no session' }
    ]
  }
}

function report(changes: Partial<RequestReport>): RequestReport {
  return {
    server,
    domain,
    mitigationId: mitigationId(7) ?? (0 as never),
    trigger: 'immediate',
    target,
    protections: [id],
    state: 'in-force',
    refusal: undefined,
    conflict: undefined,
    status: 2,
    remainingSeconds: 59.6,
    isIndefinite: false,
    bytesDropped: 2n ** 63n,
    packetsDropped: 0n,
    isBeingReplaced: false,
    ...changes
  }
}

describe('a protection as the control API shows it', () => {
  it('has one row per request, with what the server said', async () => {
    const other = report({ protections: [ProtectionId('p-2')] })
    const view = protectionView(status('protected'), [report({}), other], 3, NOW)
    const { protectionSchema } = await loadControlSchemas()
    expect(Value.Errors(protectionSchema, view)).toEqual([])
    expect(view).toMatchObject({ id: 'p-1', revision: 3, state: 'protected' })
    expect(view.requests).toEqual([
      {
        server: 'isp-a',
        domain: 'isp-a',
        state: 'in-force',
        text: 'the server protects it',
        prefixes: ['203.0.113.0/24'],
        mitigationId: 7,
        status: 'attack successfully mitigated',
        remainingLifetimeSeconds: 60,
        droppedPackets: '0',
        droppedBytes: '9223372036854775808'
      }
    ])
  })

  it('says nothing of what is unknown, and −1 of what has no end', () => {
    const unknown = {
      status: undefined,
      remainingSeconds: undefined,
      bytesDropped: undefined,
      packetsDropped: undefined
    }
    const [request] = protectionView(
      status('protected'),
      [report({ ...unknown, isIndefinite: true })],
      1,
      NOW
    ).requests
    expect(request).not.toHaveProperty('status')
    expect(request).not.toHaveProperty('droppedPackets')
    expect(request?.remainingLifetimeSeconds).toBe(-1)
  })

  it('has a row for a server that was not asked yet, and names whoever is missing once', () => {
    const view = protectionView(status('waiting'), [], 1, NOW)
    expect(view.requests).toMatchObject([{ server: 'isp-a', prefixes: ['203.0.113.0/24'] }])
    expect(view.missing).toEqual(['isp-b has no DOTS server', 'isp-a: there is no session'])
    expect(view.missingParts?.map(({ kind }) => kind)).toEqual(['uncovered', 'waiting'])
    expect(view).not.toHaveProperty('disagreement')
  })

  it('names who says what where servers do not agree, until it is released', () => {
    const disagreement = [{ server, domain, says: '4.00' }]
    const view = protectionView({ ...status('waiting'), disagreement }, [], 1, NOW)
    expect(view.disagreement).toEqual([{ server: 'isp-a', domain: 'isp-a', says: '4.00' }])
    expect(protectionView({ ...status('ending'), disagreement }, [], 1, NOW)).not.toHaveProperty(
      'disagreement'
    )
  })

  it.each(['ending', 'ended'] as const)('lacks nothing once it is %s', (state) => {
    const view = protectionView(status(state), [], 1, NOW)
    expect(view.missing).toEqual([])
    expect(view.requests).toMatchObject([{ state }])
  })
})

describe('the book of protections', () => {
  it('counts changes, tells them, and shows an end to whoever waits for it', () => {
    const book = new ProtectionBook()
    let told = 0
    const stop = book.onChange(() => told++)
    for (const state of ['asking', 'protected', 'ended'] as const)
      book.take({ kind: 'protection', status: status(state) })
    expect(told).toBe(3)
    expect(book.list()).toEqual([])
    expect(book.get('p-1')).toMatchObject({ revision: 3, status: { state: 'ended' } })
    stop()
    book.take({ kind: 'protection', status: status('ended') })
    expect(told).toBe(3)
  })

  it('does not keep ended protections for ever', () => {
    const book = new ProtectionBook()
    for (let count = 0; count < 1500; count++)
      book.take({ kind: 'protection', status: { ...status('ended'), id: ProtectionId(`p-${count}`) } })
    expect(book.get('p-1499')).toBeDefined()
    expect(book.get('p-0')).toBeUndefined()
  })
})
