import { DecodeError, WallTime } from '@breakwater/core'
import { decodeDrop, encodeDrop } from '@breakwater/runtime'
import { HOOK_CLIENTS, hookOutcome } from '@breakwater/runtime/provision'
import { dhclientLeases } from '../packages/runtime/src/provisioning/dhclient-leases.ts'
import type { FuzzTarget } from './target.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** A refusal in words is what bad input gets; anything else is a bug. */
function refusable(act: () => string): string {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return error.message.split(' ').slice(0, 2).join(' ')
  }
}

const dropFile: FuzzTarget = {
  name: 'drop-file',
  seeds: [
    '{"version":1,"interface":"wan1","origin":"dhcpv6","prefixes":[{"prefix":"2001:db8::/56","validSeconds":60}]}',
    '{"version":1,"domain":"a","boot":{"id":"b","uptimeSeconds":1},"writtenAt":"2026-11-28T18:25:40Z"}',
    '{"version":1,"interface":"w","searchDomains":[{"name":"a.example"}],"gateways":[{"address":"fe80::1"}]}'
  ].map(bytesOf),
  run: (bytes) =>
    refusable(() => {
      const once = decodeDrop(textOf(bytes))
      decodeDrop(encodeDrop(once))
      return 'taken'
    })
}

/** Lines `NAME=VALUE`, as any client gives them to its hook: whatever is written can be read, and stays in its folder. */
const hook: FuzzTarget = {
  name: 'dhcp-hook',
  seeds: [
    'reason=BOUND\ninterface=wan1\nnew_ip_address=198.51.100.11\nnew_domain_name_servers=192.0.2.1\nnew_dhcp_lease_time=600',
    'reason=BOUND6\ninterface=wan1\nnew_ip6_prefix=2001:db8::/56\nnew_max_life=600\nnew_dhcp6_domain_search=a.example.',
    'reason=ROUTERADVERT\ninterface=w\nnd1_from=fe80::1\nnd1_now=9\nnd1_acquired=3\nnd1_rdnss1_servers=2001:db8::53',
    'interface=wan1\nip=198.51.100.11\ndns=192.0.2.1\nlease=600\nDHCP4_IP_ADDRESS=192.0.2.7'
  ].map(bytesOf),
  run(bytes) {
    const pairs = textOf(bytes)
      .split('\n')
      .map((line) => line.split('=', 2) as [string, string | undefined])
    const environment = Object.fromEntries(pairs)
    const names = HOOK_CLIENTS.flatMap((client) => {
      const args = client === 'networkmanager' ? [environment['interface'] ?? '', 'up'] : ['bound']
      const { write, remove } = hookOutcome(client, args, environment)
      for (const { configuration } of write) decodeDrop(encodeDrop({ configuration }))
      return [...write.map(({ name }) => name), ...remove]
    })
    const stray = names.find((name) => !/^[a-z0-9-]+\.[A-Za-z0-9._:@+-]+(?:\.json|\*)$/.test(name))
    if (stray !== undefined) throw new Error(`a hook would touch ${stray}`)
    return `${names.length}`
  }
}

const leases: FuzzTarget = {
  name: 'dhclient-leases',
  seeds: [
    'lease { interface "wan1"; fixed-address 198.51.100.11; option routers 192.0.2.1, 192.0.2.2; expire never; }',
    'lease6 { interface "w"; ia-pd 1:2 { iaprefix 2001:db8::/56 { starts 0; preferred-life 9; max-life 9; } } }'
  ].map(bytesOf),
  run: (bytes) => refusable(() => `${dhclientLeases(textOf(bytes), WallTime(1000)).size}`)
}

export const targets: readonly FuzzTarget[] = [dropFile, hook, leases]
