import { ToldConfigurations } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { hookOutcome } from '../../../src/provisioning/hook/hook-event.ts'
import type { HookClient } from '../../../src/provisioning/hook/hook-event.ts'

type Environment = Readonly<Record<string, string>>

/** `wrote NAME: facts, valid/preferred`, `removed NAME`, `left out …` */
function event(client: HookClient, environment: Environment, ...args: readonly string[]): string[] {
  const { write, remove, complaints } = hookOutcome(client, args, environment)
  return [
    ...write.map(({ name, configuration }) => {
      const told = new ToldConfigurations()
      told.learnt(name, configuration)
      return `wrote ${name}: ${configuration.origin} ${told.texts()[0]}, ${told.lifetimes().join('/')}`
    }),
    ...remove.map((name) => `removed ${name}`),
    ...complaints.map((complaint) => `left out: ${complaint}`)
  ]
}

/* The environments of these clients as dnsmasq and, for prefix delegation, dhcpd made them set them; but for NetworkManager and udhcpc6. */

describe('dhclient', () => {
  const bound = {
    reason: 'BOUND',
    interface: 'wan1',
    new_ip_address: '198.51.100.11',
    new_subnet_mask: '255.255.255.0',
    new_network_number: '198.51.100.0',
    new_routers: '198.51.100.1',
    new_domain_name_servers: '198.51.100.53 198.51.100.54',
    new_domain_search: 'isp-a.example. customers.isp-a.example.',
    new_dhcp_lease_time: '600',
    new_expiry: '1795893003',
    new_host_name: 'vm'
  }
  const text =
    'dhcpv4 wan1 198.51.100.11 dns 198.51.100.53 dns 198.51.100.54 via 198.51.100.1 ' +
    'in isp-a.example in customers.isp-a.example'

  it('writes a lease of DHCPv4, and takes it away with the lease', () => {
    for (const reason of ['BOUND', 'RENEW', 'REBIND', 'REBOOT', 'TIMEOUT'])
      expect(event('dhclient', { ...bound, reason })).toEqual([`wrote dhclient4.wan1.json: ${text}, 600/600`])
    for (const reason of ['EXPIRE', 'FAIL', 'RELEASE', 'STOP'])
      expect(event('dhclient', { reason, interface: 'wan1' })).toEqual(['removed dhclient4.wan1.json'])
  })

  const bound6 = {
    reason: 'BOUND6',
    interface: 'wan1',
    new_ip6_address: '2001:db8:a::1d2',
    new_ip6_prefixlen: '128',
    new_max_life: '600',
    new_preferred_life: '300',
    new_dhcp6_name_servers: '2001:db8:a::53',
    new_dhcp6_domain_search: 'isp-a.example.',
    new_dhcp6_status_code: 'success success'
  }

  it('writes each address and each prefix of DHCPv6 into a file of its own', () => {
    expect(event('dhclient', bound6)).toEqual([
      'wrote dhclient6.wan1.2001:db8:a::1d2.json: dhcpv6 wan1 2001:db8:a::1d2 dns 2001:db8:a::53 in isp-a.example, 600/300'
    ])
    const { new_ip6_address: _, new_ip6_prefixlen: __, ...rest } = bound6
    expect(event('dhclient', { ...rest, new_ip6_prefix: '2001:db8:a:100::/56' })[0]).toMatch(
      /^wrote dhclient6\.wan1\.2001:db8:a:100::\+2f56\.json: dhcpv6 wan1 2001:db8:a:100::\/56 /
    )
  })

  it('takes away what ended, or all of the interface where that is not said', () => {
    const ended = { reason: 'EXPIRE6', interface: 'wan1' }
    expect(event('dhclient', { ...ended, old_ip6_prefix: '2001:db8:a:100::/56' })).toEqual([
      'removed dhclient6.wan1.2001:db8:a:100::+2f56.json'
    ])
    expect(event('dhclient', ended)).toEqual(['removed dhclient6.wan1.*'])
  })

  it('leaves alone what is no lease', () => {
    for (const reason of ['PREINIT', 'PREINIT6', 'MEDIUM', 'DEPREF6', 'NBI', ''])
      expect(event('dhclient', { reason, interface: 'wan1' })).toEqual([])
  })
})

describe('a lifetime of dhclient', () => {
  /** As dhclient said it 8 s after a Reply that had renewed an address and not this prefix. */
  const renew6 = {
    reason: 'RENEW6',
    interface: 'wan1',
    new_ip6_prefix: '2001:db8:b00::/56',
    new_life_starts: '1795906637',
    new_max_life: '56',
    new_preferred_life: '36'
  }
  const lifetimesAt = (now: number, environment: Environment = renew6): number[] => {
    const told = new ToldConfigurations()
    for (const { name, configuration } of hookOutcome('dhclient', [], environment, now).write)
      told.learnt(name, configuration)
    return told.lifetimes()
  }

  it('began when the server said it, not when dhclient says it again', () => {
    expect(lifetimesAt(1_795_906_637)).toEqual([56, 36])
    expect(lifetimesAt(1_795_906_645)).toEqual([48, 28])
    expect(lifetimesAt(1_795_906_737)).toEqual([0, 0])
  })

  it('begins now where the beginning is not told, is no time, or is yet to come', () => {
    for (const starts of ['', 'soon', '1795909999'])
      expect(lifetimesAt(1_795_906_645, { ...renew6, new_life_starts: starts })).toEqual([56, 36])
  })
})

describe('udhcpc', () => {
  const bound = {
    interface: 'wan1',
    ip: '198.51.100.11',
    mask: '24',
    subnet: '255.255.255.0',
    router: '198.51.100.1',
    dns: '198.51.100.53',
    search: 'isp-a.example',
    lease: '600',
    opt53: '05'
  }

  it('writes a lease, and takes it away when the interface is cleared', () => {
    for (const word of ['bound', 'renew'])
      expect(event('udhcpc', bound, word)).toEqual([
        'wrote udhcpc.wan1.json: dhcpv4 wan1 198.51.100.11 dns 198.51.100.53 via 198.51.100.1 in isp-a.example, 600/600'
      ])
    for (const word of ['deconfig', 'nak'])
      expect(event('udhcpc', { interface: 'wan1' }, word)).toEqual(['removed udhcpc.wan1.json'])
    expect(event('udhcpc', { interface: 'wan1' }, 'leasefail')).toEqual([])
  })

  it('knows the addresses and prefixes of DHCPv6', () => {
    const bound6 = {
      interface: 'wan1',
      ipv6: '2001:db8:a::7',
      ipv6prefix: '2001:db8:a:100::/56',
      lease: '900'
    }
    expect(event('udhcpc6', bound6, 'bound')).toEqual([
      'wrote udhcpc6.wan1.json: dhcpv6 wan1 2001:db8:a:100::/56 2001:db8:a::7, 900/900'
    ])
  })
})

describe('dhcpcd', () => {
  it('writes a lease of DHCPv4, and takes it away', () => {
    const bound = {
      reason: 'BOUND',
      interface: 'wan1',
      protocol: 'dhcp',
      new_ip_address: '198.51.100.11',
      new_subnet_cidr: '24',
      new_routers: '198.51.100.1',
      new_domain_name_servers: '198.51.100.53',
      new_domain_search: 'isp-a.example',
      new_dhcp_lease_time: '600'
    }
    expect(event('dhcpcd', bound)).toEqual([
      'wrote dhcpcd4.wan1.json: dhcpv4 wan1 198.51.100.11 dns 198.51.100.53 via 198.51.100.1 in isp-a.example, 600/600'
    ])
    expect(event('dhcpcd', { reason: 'STOP', interface: 'wan1' })).toEqual(['removed dhcpcd4.wan1.json'])
  })

  it('writes all addresses and prefixes of DHCPv6', () => {
    const bound6 = {
      reason: 'BOUND6',
      interface: 'wan1',
      protocol: 'dhcp6',
      new_dhcp6_ia_na1_ia_addr1: '2001:db8:a::10b',
      new_dhcp6_ia_na1_ia_addr1_pltime: '300',
      new_dhcp6_ia_na1_ia_addr1_vltime: '600',
      new_dhcp6_ia_na1_iaid: '00000001',
      new_dhcp6_ia_pd1_prefix1: '2001:db8:a:100::',
      new_dhcp6_ia_pd1_prefix1_length: '56',
      new_dhcp6_ia_pd1_prefix1_pltime: '1800',
      new_dhcp6_ia_pd1_prefix1_vltime: '3600',
      new_dhcp6_name_servers: '2001:db8:a::53',
      new_dhcp6_domain_search: 'isp-a.example'
    }
    expect(event('dhcpcd', bound6)).toEqual([
      'wrote dhcpcd6.wan1.json: dhcpv6 wan1 2001:db8:a:100::/56 2001:db8:a::10b dns 2001:db8:a::53 in isp-a.example, 3600/1800'
    ])
    expect(event('dhcpcd', { reason: 'EXPIRE6', interface: 'wan1' })).toEqual(['removed dhcpcd6.wan1.json'])
  })

  const advertisement = {
    reason: 'ROUTERADVERT',
    interface: 'wan1',
    protocol: 'ra',
    nd1_acquired: '3072',
    nd1_now: '3092',
    nd1_from: 'fe80::281e:4fff:fe39:624e',
    nd1_lifetime: '1800',
    nd1_flags: 'MO',
    nd1_prefix_information1_prefix: '2001:db8:a::',
    nd1_prefix_information1_length: '64',
    nd1_prefix_information1_flags: 'L',
    nd1_prefix_information1_pltime: '300',
    nd1_prefix_information1_vltime: '600',
    nd1_rdnss1_lifetime: '600',
    nd1_rdnss1_servers: '2001:db8:a::53',
    nd1_dnssl1_lifetime: '600',
    nd1_dnssl1_search: 'isp-a.example'
  }

  it('writes what routers advertise, RDNSS and search domains among it, less the time since then', () => {
    expect(event('dhcpcd', advertisement)).toEqual([
      'wrote dhcpcd-ra.wan1.json: ra wan1 2001:db8:a::/64 dns 2001:db8:a::53 via fe80::281e:4fff:fe39:624e in isp-a.example, 580/280'
    ])
  })

  it('tells the routers of a link apart, and leaves out who wants to be none', () => {
    const second = { nd2_from: 'fe80::2', nd2_lifetime: '0', nd2_rdnss1_servers: '2001:db8:b::53' }
    expect(event('dhcpcd', { ...advertisement, ...second })[0]).toContain(
      'dns 2001:db8:a::53 dns 2001:db8:b::53 via fe80::281e:4fff:fe39:624e in'
    )
  })

  it('takes away what no router advertises any more, and everything with the link', () => {
    expect(event('dhcpcd', { reason: 'ROUTERADVERT', interface: 'wan1' })).toEqual([
      'removed dhcpcd-ra.wan1.json'
    ])
    expect(event('dhcpcd', { reason: 'NOCARRIER', interface: 'wan1' })).toEqual([
      'removed dhcpcd4.wan1.json',
      'removed dhcpcd6.wan1.json',
      'removed dhcpcd-ra.wan1.json'
    ])
  })
})

describe('NetworkManager', () => {
  const up = {
    DEVICE_IP_IFACE: 'wan1',
    IP4_NUM_ADDRESSES: '1',
    IP4_ADDRESS_0: '198.51.100.11/24 198.51.100.1',
    DHCP4_IP_ADDRESS: '198.51.100.11',
    DHCP4_ROUTERS: '198.51.100.1',
    DHCP4_DOMAIN_NAME_SERVERS: '198.51.100.53',
    DHCP4_DOMAIN_NAME: 'isp-a.example',
    DHCP4_DHCP_LEASE_TIME: '600',
    IP6_GATEWAY: 'fe80::1',
    IP6_NAMESERVERS: '2001:db8:a::53',
    IP6_DOMAINS: 'isp-a.example'
  }

  it('writes what the interface has, and takes away what it has not', () => {
    expect(event('networkmanager', up, 'wan1', 'up')).toEqual([
      'wrote networkmanager4.wan1.json: dhcpv4 wan1 198.51.100.11 dns 198.51.100.53 via 198.51.100.1 in isp-a.example, 600/600',
      'wrote networkmanager-ra.wan1.json: ra wan1 dns 2001:db8:a::53 via fe80::1 in isp-a.example, ',
      'removed networkmanager6.wan1.json'
    ])
    const leased = { DHCP6_IP6_ADDRESS: '2001:db8:a::7', DHCP6_MAX_LIFE: '600', DHCP6_PREFERRED_LIFE: '300' }
    expect(event('networkmanager', leased, 'wan1', 'dhcp6-change')[0]).toBe(
      'wrote networkmanager6.wan1.json: dhcpv6 wan1 2001:db8:a::7, 600/300'
    )
  })

  it('hears of no router where there is none: NetworkManager says 0.0.0.0', () => {
    const { DHCP4_IP_ADDRESS } = up
    expect(event('networkmanager', { DHCP4_IP_ADDRESS, IP6_GATEWAY: '0.0.0.0' }, 'wan1', 'up')).toEqual([
      expect.stringContaining('wrote networkmanager4.wan1.json'),
      'removed networkmanager6.wan1.json',
      'removed networkmanager-ra.wan1.json'
    ])
  })

  it('takes everything away when the interface goes down, and leaves other events alone', () => {
    expect(event('networkmanager', {}, 'wan1', 'down')).toHaveLength(3)
    for (const word of ['hostname', 'connectivity-change', 'vpn-up', 'pre-up', ''])
      expect(event('networkmanager', up, 'wan1', word)).toEqual([])
  })
})

describe('what a server says', () => {
  const lease = {
    reason: 'BOUND',
    interface: 'wan1',
    new_ip_address: '198.51.100.11',
    new_dhcp_lease_time: '600'
  }

  it.each([
    ['new_routers', '$(reboot)', 'new_routers names what is no address'],
    ['new_routers', '198.51.100.1; reboot', 'new_routers names what is no address'],
    ['new_domain_name_servers', '`id`', 'new_domain_name_servers names what is no address'],
    ['new_domain_name', 'isp.example\u001B[2J', 'new_domain_name names what is no domain'],
    ['new_domain_name', '../../etc/passwd', 'new_domain_name names what is no domain'],
    ['new_dhcp_lease_time', '-1', 'new_dhcp_lease_time is no number'],
    ['new_dhcp_lease_time', '1e9', 'new_dhcp_lease_time is no number'],
    ['new_domain_search', 'a'.repeat(5000), 'new_domain_search is longer than 4096 characters']
  ])('is left out where it is not exactly what belongs there: %s=%s', (name, value, complaint) => {
    const lines = event('dhclient', { ...lease, [name]: value })
    expect(lines).toContain(`left out: ${complaint}`)
    // Nothing of it comes out again, not in the file and not in the log.
    for (const line of lines) expect(line).not.toContain(value)
  })

  it('writes nothing without an address', () => {
    expect(event('dhclient', { ...lease, new_ip_address: '198.51.100.256' })).toEqual([
      'left out: new_ip_address is no address'
    ])
  })

  it('takes as many name servers as there may be', () => {
    const many = Array.from({ length: 40 }, (_, n) => `192.0.2.${n}`).join(' ')
    const { write, complaints } = hookOutcome('dhclient', [], { ...lease, new_domain_name_servers: many })
    expect(write[0]?.configuration.resolvers).toHaveLength(16)
    expect(complaints).toEqual(['new_domain_name_servers has 40 entries; 16 are taken'])
  })

  it('never leads out of the folder, whatever an interface is called', () => {
    for (const via of ['..', 'a;b', '$x', 'ppp0.1@2', 'wan+1', '\u00e9']) {
      const [{ name } = { name: '' }] = hookOutcome('dhclient', [], { ...lease, interface: via }).write
      expect(name).toMatch(/^dhclient4\.[A-Za-z0-9_:@+.-]+\.json$/)
      expect(name).not.toContain('/')
    }
    for (const via of ['a/b', '', 'sixteen-letters-x', 'a b'])
      expect(hookOutcome('dhclient', [], { ...lease, interface: via }).write).toEqual([])
  })

  it('is valid for no less long than preferred', () => {
    const bound6 = { reason: 'BOUND6', interface: 'w', new_ip6_address: '2001:db8::7', new_max_life: '60' }
    expect(event('dhclient', { ...bound6, new_preferred_life: '600' })[0]).toMatch(/60\/60$/)
  })
})
