import { decodeSignal, encodeSignal } from '@breakwater/model'
import type { MitigationScopeEntry } from '@breakwater/model'
import { target } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { mitigationRequestBody, parseTarget, targetTexts } from '../../src/signal/mapper.ts'
import { checkMitigationRequest } from '../../src/signal/request-check.ts'
import { plainRequest } from '../../src/domain/requested-target.ts'

const GOOD: MitigationScopeEntry = { targetPrefix: ['192.0.2.0/24'], lifetime: 3600 }

function problemOf(entry: MitigationScopeEntry): string {
  const checked = checkMitigationRequest({ mitigationScope: { scope: [entry] } })
  return checked.ok ? '' : checked.problem.code
}

describe('checkMitigationRequest', () => {
  it('reads what mitigationRequestBody writes', () => {
    const wanted = target({
      prefixes: ['192.0.2.0/24', '2001:db8::/64'],
      ports: [
        [53, 53],
        [80, 443]
      ],
      protocols: [17, 6]
    })
    const message = decodeSignal(encodeSignal(mitigationRequestBody(wanted, 600)))
    expect(checkMitigationRequest(message)).toEqual({
      ok: true,
      value: { target: plainRequest(wanted), lifetime: 600, trigger: 'immediate' }
    })
    const endless = checkMitigationRequest(mitigationRequestBody(wanted, 'indefinite'))
    expect(endless).toMatchObject({ ok: true, value: { lifetime: 'indefinite' } })
  })

  it.each<[string, MitigationScopeEntry]>([
    ['DOTS_SIGNAL_LIFETIME_MISSING', { targetPrefix: ['192.0.2.0/24'] }],
    ['DOTS_SIGNAL_LIFETIME_INVALID', { ...GOOD, lifetime: 0 }],
    ['DOTS_SIGNAL_LIFETIME_INVALID', { ...GOOD, lifetime: -2 }],
    ['DOTS_SIGNAL_TARGET_MISSING', { lifetime: 60, targetPortRange: [{ lowerPort: 1 }] }],
    ['DOTS_SIGNAL_VALUE_EMPTY', { ...GOOD, targetPrefix: [] }],
    ['DOTS_SIGNAL_VALUE_EMPTY', { ...GOOD, targetProtocol: [] }],
    ['DOTS_SIGNAL_VALUE_EMPTY', { ...GOOD, aliasName: [''] }],
    ['DOTS_SIGNAL_ATTRIBUTE_NOT_IN_REQUEST', { ...GOOD, status: 1 }],
    ['DOTS_SIGNAL_ATTRIBUTE_NOT_IN_REQUEST', { ...GOOD, bytesDropped: 1n }],
    ['DOTS_SIGNAL_PREFIX_INVALID', { ...GOOD, targetPrefix: ['192.0.2.0'] }],
    ['DOTS_SIGNAL_PREFIX_HOST_BITS', { ...GOOD, targetPrefix: ['2001:db8::1/64'] }],
    ['DOTS_SIGNAL_PORT_RANGE_INVALID', { ...GOOD, targetPortRange: [{ lowerPort: 9, upperPort: 8 }] }],
    ['DOTS_SIGNAL_TARGET_NOT_UNICAST', { ...GOOD, targetPrefix: ['192.0.2.0/24', '239.0.0.0/8'] }],
    ['DOTS_SIGNAL_ALIAS_UNKNOWN', { ...GOOD, aliasName: ['web'] }],
    ['DOTS_SIGNAL_NAME_INVALID', { ...GOOD, targetFqdn: ['*.example.net'] }],
    ['DOTS_SIGNAL_URI_INVALID', { ...GOOD, targetUri: ['mailto:x@example.net'] }],
    ['DOTS_SIGNAL_URI_SCHEME_UNKNOWN', { ...GOOD, targetUri: ['gopher://example.net/'] }],
    ['DOTS_SIGNAL_TARGET_NOT_UNICAST', { ...GOOD, targetUri: ['http://[::1]/'] }],
    ['', { ...GOOD, targetFqdn: ['example.net'] }],
    ['', { ...GOOD, targetUri: ['https://example.net'] }],
    ['', { ...GOOD, triggerMitigation: false }],
    ['', GOOD],
    ['', { ...GOOD, triggerMitigation: true }],
    ['', { ...GOOD, lifetime: -1 }]
  ])('%s', (code, entry) => {
    expect(problemOf(entry)).toBe(code)
  })

  it('a message that is none, and one with two scopes', () => {
    expect(checkMitigationRequest({})).toMatchObject({ problem: { code: 'DOTS_SIGNAL_SCOPE_MISSING' } })
    expect(checkMitigationRequest({ mitigationScope: { scope: [GOOD, GOOD] } })).toMatchObject({
      problem: { code: 'DOTS_SIGNAL_SCOPE_MULTIPLE' }
    })
  })

  it('diagnostics name the place', () => {
    const checked = checkMitigationRequest({
      mitigationScope: { scope: [{ ...GOOD, targetPrefix: ['192.0.2.0/24', '10.0.0.1/8'] }] }
    })
    expect(checked).toMatchObject({
      problem: {
        diagnostic:
          '"10.0.0.1/8" has bits behind the prefix length; the network is 10.0.0.0/8 (scope[0].target-prefix[1])'
      }
    })
  })
})

describe('targets', () => {
  it('are texts for people', () => {
    const wanted = target({
      prefixes: ['192.0.2.0/24'],
      ports: [
        [53, 53],
        [80, 443]
      ],
      protocols: [17]
    })
    expect(targetTexts(wanted)).toEqual(['192.0.2.0/24', 'port 53', 'port 80-443', 'protocol 17'])
  })

  it('a single port is a range of one', () => {
    const parsed = parseTarget({ targetPrefix: ['192.0.2.0/24'], targetPortRange: [{ lowerPort: 53 }] })
    expect(parsed).toMatchObject({ ok: true, value: { ports: [{ lower: 53, upper: 53 }] } })
  })
})
