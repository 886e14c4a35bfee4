import { expect, it } from 'vitest'
import { domainLines } from '../src/output/domain-lines.ts'

it('domains are shown with what they have, whence, for how long, and what was refused', () => {
  const lines = domainLines({
    domains: [
      {
        domain: 'isp-a',
        kind: 'access',
        interfaces: ['wan1'],
        learnsFrom: ['dhcpv6', 'ra'],
        facts: [
          { kind: 'prefix', text: '203.0.113.0/24', origin: 'configuration', state: 'used' },
          {
            kind: 'prefix',
            text: '2001:db8:1::/56',
            origin: 'dhcpv6',
            interface: 'wan1',
            validSeconds: 3600,
            preferredSeconds: 0,
            state: 'used'
          },
          {
            kind: 'prefix',
            text: '2001:db8:b::/64',
            origin: 'ra',
            interface: 'wan1',
            validSeconds: 90,
            preferredSeconds: 60,
            state: 'refused',
            reason: 'it is of isp-b'
          },
          { kind: 'search-domain', text: 'isp-a.example', origin: 'dhcpv6', state: 'noted' }
        ]
      },
      { domain: 'scrubber', kind: 'service', interfaces: [], facts: [] }
    ],
    unclaimed: [
      {
        source: 'drop',
        key: 'x.json',
        origin: 'pco',
        interface: 'wwan0',
        reason: 'no domain learns from pco on wwan0'
      }
    ]
  })
  expect(lines.join('\n')).toBe(
    `isp-a: a provider on wan1, learns from dhcpv6, ra
  WHAT           VALUE            FROM           STATE
  prefix         203.0.113.0/24   configuration  used
  prefix         2001:db8:1::/56  dhcpv6 wan1    used, 1 h left, deprecated
  prefix         2001:db8:b::/64  ra wan1        refused: it is of isp-b, 1 min
                                                 30 s left, preferred for 1 min
  search domain  isp-a.example    dhcpv6 wan1    noted`.replace(
      'dhcpv6 wan1    noted',
      'dhcpv6         noted'
    ) +
      `

scrubber: a service
  nothing is known of it

of no domain
  drop x.json (pco on wwan0): no domain learns from pco on wwan0`
  )
})
