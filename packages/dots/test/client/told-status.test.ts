import { ipv4, prefixOf } from '@breakwater/core'
import type { DomainName, MissingPart, ProtectionStatus, ServerName, ServerStanding } from '@breakwater/dots'
import { ProtectionId, mitigationId } from '@breakwater/dots'
import { describe, expect, it } from 'vitest'
import { tellsTheSame } from '../../src/client/told-status.ts'

/** Made anew each time: nothing of two of them is the same object. */
function standing(differing: Partial<ServerStanding> = {}): ServerStanding {
  return {
    server: 'server-a' as ServerName,
    domain: 'provider-a' as DomainName,
    prefixes: [prefixOf(ipv4(0xc0000201), 32)],
    state: 'asking',
    because: 'its own prefix',
    text: 'the server has not answered yet',
    mitigationIds: [mitigationId(7)!],
    ...differing
  }
}

function missing(differing: Partial<MissingPart> = {}): MissingPart {
  return { kind: 'asking', domain: undefined, server: undefined, text: 'why', ...differing }
}

function status(differing: Partial<ProtectionStatus> = {}): ProtectionStatus {
  return {
    id: ProtectionId('web'),
    state: 'asking',
    alarm: false,
    target: { prefixes: [], ports: [], protocols: [] },
    named: undefined,
    names: [],
    require: 'all',
    policy: 'all',
    servers: [standing()],
    missing: [missing()],
    disagreement: [],
    ...differing
  }
}

describe('the status of a protection', () => {
  it('tells the same as another one that says so in other objects', () => {
    expect(tellsTheSame(status(), status())).toBe(true)
  })

  const others: readonly ServerStanding[] = [
    standing({ server: 'server-b' as ServerName }),
    standing({ domain: 'provider-b' as DomainName }),
    standing({ prefixes: [prefixOf(ipv4(0xc0000202), 32)] }),
    standing({ prefixes: [] }),
    standing({ state: 'in-force' }),
    standing({ because: 'the prefix of nobody else' }),
    standing({ text: 'the server protects it' }),
    standing({ mitigationIds: [mitigationId(8)!] }),
    standing({ mitigationIds: [mitigationId(7)!, mitigationId(8)!] })
  ]
  const cases: readonly Partial<ProtectionStatus>[] = [
    { state: 'protected' },
    { alarm: true },
    { servers: [] },
    { servers: [standing(), standing()] },
    ...others.map((other) => ({ servers: [other] })),
    { missing: [] },
    { missing: [missing({ kind: 'waiting' })] },
    { missing: [missing({ domain: 'provider-a' as DomainName })] },
    { missing: [missing({ server: 'server-a' as ServerName })] },
    { missing: [missing({ text: 'why not' })] }
  ]

  it.each(cases)('tells something else where it differs in what people see: %o', (differing) => {
    expect(tellsTheSame(status(), status(differing))).toBe(false)
    expect(tellsTheSame(status(differing), status())).toBe(false)
  })
})
