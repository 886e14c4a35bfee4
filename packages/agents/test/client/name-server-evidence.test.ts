import { DomainName } from '@breakwater/dots'
import { address } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { nameServerEvidence } from '../../src/client/name-server-evidence.ts'

const remote = { address: address('192.0.2.53'), port: 53 }
const domain = DomainName('isp-a')

describe('a question to a name server', () => {
  it('says of destination, interface and source what came of it, and is trusted as a cookie', () => {
    const way = { address: remote, source: address('198.51.100.7'), interface: 'wan-a' }
    const good = nameServerEvidence(domain, way, 'answered')
    expect(good).toMatchObject({
      path: { destination: '192.0.2.53', via: 'wan-a', source: '198.51.100.7' },
      reporter: 'resolver of isp-a',
      trust: 'cookie',
      verdict: 'good'
    })
    expect(nameServerEvidence(domain, way, 'silent')?.verdict).toBe('bad')
  })

  it('to one on this host says nothing of any provider', () => {
    expect(nameServerEvidence(domain, { address: remote }, 'answered')).toBeUndefined()
  })
})
