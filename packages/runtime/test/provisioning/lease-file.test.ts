import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DecodeError, WallTime } from '@breakwater/core'
import { ToldConfigurations, provisioningSourceContract } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { dhclientLeases } from '../../src/provisioning/dhclient-leases.ts'
import { leaseFile } from '../../src/provisioning/lease-file.ts'

provisioningSourceContract('a lease file of dhclient', () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-leases-'))
  const path = join(folder, 'dhclient6.leases')
  const leases = new Map<string, string>()
  const write = (): void => {
    writeFileSync(`${path}.new`, [...leases.values()].join(''))
    renameSync(`${path}.new`, path)
  }
  return {
    source: leaseFile({ path, clock: systemClock() }),
    say: ({ interface: via, prefix, validSeconds, preferredSeconds }) => {
      const life = `starts ${Math.floor(Date.now() / 1000)}; preferred-life ${preferredSeconds}; max-life ${validSeconds};`
      leases.set(via, `lease6 { interface "${via}"; ia-pd 1:2 { iaprefix ${prefix} { ${life} } } }\n`)
      write()
    },
    unsay: (via) => {
      leases.delete(via)
      write()
    },
    close: () => rmSync(folder, { recursive: true })
  }
})

/** As dhclient 4.4 wrote them of dnsmasq, the second one added by hand. */
const leases4 = `lease {
  interface "wan1";
  fixed-address 198.51.100.11;
  option subnet-mask 255.255.255.0;
  option routers 198.51.100.1, 198.51.100.2;
  option dhcp-lease-time 600;
  option domain-name-servers 198.51.100.53;
  option domain-search "isp-a.example.", "more.isp-a.example.";
  option host-name "a;b}{\\"c";
  renew 6 2026/11/28 19:04:18;
  expire 6 2026/11/28 19:10:03;
}
`
const lease6 = `default-duid "\\000\\001\\000\\0012\\235\\341;f\\236Gx\\224[";
lease6 {
  interface "wan1";
  ia-na 47:78:94:5b {
    starts 1795892413;
    iaaddr 2001:db8:a::1d2 { starts 1795892413; preferred-life 300; max-life 600; }
  }
  ia-pd 47:78:94:5b {
    iaprefix 2001:db8:a:100::/56 { starts 1795892413; preferred-life 1800; max-life 3600; }
  }
  option dhcp6.name-servers 2001:db8:a::53;
  option dhcp6.domain-search "isp-a.example.";
}
`

function texts(text: string, at: WallTime): ToldConfigurations {
  const told = new ToldConfigurations()
  for (const [key, lease] of dhclientLeases(text, at)) told.learnt(key, lease)
  return told
}

describe('leases of dhclient', () => {
  const noon = WallTime(Date.UTC(2026, 10, 28, 19, 0, 3))

  it('hold for what is left of them', () => {
    const told = texts(leases4, noon)
    expect(told.texts()).toEqual([
      'wan1 198.51.100.11 dns 198.51.100.53 via 198.51.100.1 via 198.51.100.2 in isp-a.example in more.isp-a.example'
    ])
    expect(told.lifetimes()).toEqual([600, 600])
    expect(texts(leases4, WallTime(noon + 600_000)).texts()).toEqual([])
  })

  it('are replaced by the last one of the interface', () => {
    const later = leases4.replace('198.51.100.11', '198.51.100.12')
    expect(texts(leases4 + later, noon).texts()[0]).toContain('198.51.100.12')
    // The last one is over: the one before does not come back.
    const over = later.replace('2026/11/28 19:10', '2026/11/28 18:10')
    expect(texts(leases4 + over, noon).texts()).toEqual([])
  })

  it('may end never, or at a second of the epoch', () => {
    expect(texts(leases4.replace('6 2026/11/28 19:10:03', 'never'), noon).lifetimes()[0]).toBe(Infinity)
    const epoch = `epoch ${noon / 1000 + 60}`
    expect(texts(leases4.replace('6 2026/11/28 19:10:03', epoch), noon).lifetimes()).toEqual([60, 60])
  })

  it('of DHCPv6 have addresses and delegated prefixes', () => {
    const told = texts(lease6, WallTime(1_795_892_513_000))
    expect(told.texts()).toEqual([
      'wan1 2001:db8:a:100::/56 2001:db8:a::1d2 dns 2001:db8:a::53 in isp-a.example'
    ])
    expect(told.lifetimes()).toEqual([3500, 1700])
    expect(texts(lease6.replace('ia-na', 'released; ia-na'), WallTime(1_795_892_513_000)).texts()).toEqual([])
  })

  it.each([
    ['a block without end', leases4.slice(0, 60)],
    ['an end without block', '}'],
    ['a text without end', 'lease { interface "wan1; }'],
    ['a statement without end', 'lease'],
    ['blocks within blocks', 'a {'.repeat(50)]
  ])('are refused with %s', (_what, text) => {
    expect(() => dhclientLeases(text, noon)).toThrow(DecodeError)
  })

  it.each([
    ['no interface', leases4.replace('interface "wan1";', '')],
    ['an interface that is none', leases4.replace('"wan1"', '"../wan1"')],
    ['no address', leases4.replace('198.51.100.11', 'host')],
    ['no expiry', leases4.replace(/expire[^;]*;/, '')],
    ['an expiry that is none', leases4.replace(/expire[^;]*;/, 'expire 6 yesterday noon;')]
  ])('say nothing with %s', (_what, text) => {
    expect(texts(text, noon).texts()).toEqual([])
  })
})
