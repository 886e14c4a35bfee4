import { describe, expect, it } from 'vitest'
import { DomainName } from '../../../src/domain/identifier.ts'
import type { Site } from '../../../src/domain/site.ts'
import { exitLines } from '../../../src/multihoming/exit-planner/exit-lines.ts'
import { planExits } from '../../../src/multihoming/exit-planner/exit-plan.ts'
import { exitProbes, judgeExit } from '../../../src/multihoming/exit-planner/exit-proof.ts'
import type { Exit, ExitOwnership } from '../../../src/multihoming/exit-planner/exit.ts'
import { domain, ip, net, server, twoProviders } from '../sites.ts'

const ownership: ExitOwnership = {
  table: 100,
  mark: 0x4600,
  rulePriority: 1000,
  protocol: 146,
  nftTable: 'exits'
}

function exit(name: string, device: string, gateways: string[], sources: string[], isOwn = true): Exit {
  return {
    domain: DomainName(name),
    interface: device,
    gateways: gateways.map(ip),
    sources: sources.map(ip),
    isOwn
  }
}

const exits = [
  exit('isp-a', 'wan-a', ['10.1.0.1'], ['198.51.100.1']),
  exit('isp-b', 'wan-b', ['10.2.0.1'], ['100.64.7.1'])
]

describe('the exits of a CPE', () => {
  it('are these lines for two providers and a prefix of the site', () => {
    expect(exitLines(planExits(twoProviders, exits, ownership))).toEqual([
      'ip -4 route replace default via 10.1.0.1 dev wan-a table 101 metric 1024 proto 146',
      'ip -4 route replace unreachable default table 101 metric 4278198272 proto 146',
      'ip -4 route replace default via 10.2.0.1 dev wan-b table 102 metric 1024 proto 146',
      'ip -4 route replace unreachable default table 102 metric 4278198272 proto 146',
      'ip -4 rule add pref 1000 fwmark 0x4601 lookup 101 protocol 146',
      'ip -4 rule add pref 1000 fwmark 0x4602 lookup 102 protocol 146',
      'ip -4 rule add pref 1001 lookup main suppress_prefixlength 0 protocol 146',
      'ip -4 rule add pref 1002 from 198.51.100.0/24 lookup 101 protocol 146',
      'ip -4 rule add pref 1002 from 100.64.7.0/24 lookup 102 protocol 146',
      "nft -f - <<'EOF'",
      'table inet exits {',
      '  chain dots_mark {',
      '    type filter hook prerouting priority mangle; policy accept;',
      '    iifname { "wan-a", "wan-b" } return',
      '    ip daddr 192.0.2.1 udp dport 4646 meta mark set 0x4601',
      '    ip daddr 192.0.2.1 tcp dport 4646 meta mark set 0x4601',
      '    ip daddr 192.0.2.129 udp dport 4646 meta mark set 0x4602',
      '    ip daddr 192.0.2.129 tcp dport 4646 meta mark set 0x4602',
      '  }',
      '  chain dots_source {',
      '    type nat hook postrouting priority srcnat; policy accept;',
      '    meta mark 0x4601 oifname "wan-a" meta nfproto ipv4 ip saddr != { 198.51.100.0/24, 203.0.113.0/24 } counter snat ip to 198.51.100.1',
      '    meta mark 0x4602 oifname "wan-b" meta nfproto ipv4 ip saddr != { 100.64.7.0/24, 203.0.113.0/24 } counter snat ip to 100.64.7.1',
      '  }',
      '}',
      'EOF'
    ])
  })

  it('let a source of the access link out by its own link, too', () => {
    const plan = planExits(twoProviders, [exit('isp-a', 'wan-a', ['10.1.0.1'], ['10.1.0.2'])], ownership)
    expect(exitLines(plan)).toContain('ip -4 rule add pref 1002 from 10.1.0.2/32 lookup 101 protocol 146')
  })

  it('send a source whose exit is not known nowhere, rather than to another provider', () => {
    const plan = planExits(twoProviders, exits.slice(0, 1), ownership)
    expect(plan.routes.filter(({ table }) => table === 102)).toEqual([
      { family: 4, table: 102, metric: 4_278_198_272 }
    ])
    expect(plan.problems.map(({ code, domain: name }) => `${code} ${name}`)).toEqual(['EXIT_UNKNOWN isp-b'])
  })

  it('drop DOTS messages that no source is known for, and say so', () => {
    const plan = planExits(
      twoProviders,
      [exit('isp-a', 'wan-a', ['10.1.0.1'], []), ...exits.slice(1)],
      ownership
    )
    expect(plan.filter).toContain('ip saddr != { 198.51.100.0/24, 203.0.113.0/24 } counter drop')
    expect(plan.problems.map(({ code, domain: name }) => `${code} ${name}`)).toEqual(['SOURCE_MISSING isp-a'])
  })

  it('name a source that another provider assigned, and a prefix without a gateway of its family', () => {
    const site: Site = {
      ...twoProviders,
      domains: [
        domain('isp-a', {
          prefixes: ['198.51.100.0/24', '2001:db8:a::/48'],
          servers: [server('isp-a', '192.0.2.1')]
        }),
        domain('isp-b', { prefixes: ['100.64.7.0/24'], servers: [server('isp-b', '192.0.2.129')] })
      ]
    }
    const wrong = [exit('isp-a', 'wan-a', ['10.1.0.1'], ['100.64.7.9']), ...exits.slice(1)]
    expect(
      planExits(site, wrong, ownership).problems.map(({ code, domain: name }) => `${code} ${name}`)
    ).toEqual(['GATEWAY_MISSING isp-a', 'SOURCE_OF_OTHER isp-a'])
  })

  it('leave sources of a prefix that the provider assigned together with others as they are', () => {
    const groups = [{ name: 'g', domains: [DomainName('isp-a')], prefixes: [net('192.88.0.0/24')] }]
    const { filter } = planExits({ ...twoProviders, groups }, exits, ownership)
    expect(filter).toContain(
      '{ 192.88.0.0/24, 198.51.100.0/24, 203.0.113.0/24 } counter snat ip to 198.51.100.1'
    )
    expect(filter).toContain('{ 100.64.7.0/24, 203.0.113.0/24 } counter snat ip to 100.64.7.1')
  })

  it('leave sources alone on the way to the router with the exit', () => {
    const plan = planExits(
      twoProviders,
      [exit('isp-a', 'core', ['10.9.0.1'], [], false), ...exits.slice(1)],
      ownership
    )
    expect(plan.filter).toContain('ip daddr 192.0.2.1 udp dport 4646 meta mark set 0x4601')
    expect(plan.filter).not.toContain('oifname "core"')
    expect(plan.filter).toContain('iifname { "wan-b" } return')
  })

  it('go to the interface itself where there is no gateway, and mark nothing of a provider that has no server', () => {
    const site: Site = {
      domains: [domain('ppp', { prefixes: ['198.51.100.8/29'] })],
      providerIndependent: []
    }
    const plan = planExits(site, [exit('ppp', 'ppp0', [], [])], ownership)
    expect(exitLines(plan)[0]).toBe('ip -4 route replace default dev ppp0 table 101 metric 1024 proto 146')
    expect(plan.filter).not.toContain('meta mark set')
  })
})

describe('the proof of exits', () => {
  const probes = exitProbes(twoProviders, exits, ['lan'], ownership)
  const [probe] = probes

  it('asks for every source to every server, and for DOTS messages from the sources of others', () => {
    expect(probes.filter(({ mark }) => mark === undefined)).toHaveLength(8)
    expect(probes.filter(({ mark }) => mark !== undefined)).toEqual([
      {
        source: ip('100.64.7.254'),
        destination: ip('192.0.2.1'),
        arrival: 'lan',
        mark: 0x4601,
        domain: 'isp-a'
      },
      {
        source: ip('198.51.100.254'),
        destination: ip('192.0.2.129'),
        arrival: 'lan',
        mark: 0x4602,
        domain: 'isp-b'
      }
    ])
  })

  it.each([
    [{ interface: 'wan-a', gateway: ip('10.1.0.1') }, 'right'],
    [{ interface: 'wan-b', gateway: ip('10.2.0.1') }, 'killed'],
    [{ interface: 'wan-a', gateway: ip('10.1.0.9') }, 'elsewhere'],
    [{ interface: 'vpn' }, 'elsewhere'],
    [{ fault: 'Network is unreachable' }, 'no-way']
  ] as const)('judges %j as %s', (answer, kind) => {
    expect(probe === undefined ? undefined : judgeExit(probe, answer, exits).kind).toBe(kind)
  })
})
