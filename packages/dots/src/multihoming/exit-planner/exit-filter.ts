import { formatIpAddress, formatIpPrefix } from '@breakwater/core'
import type { IpFamily, IpPrefix } from '@breakwater/core'
import type { DotsServer, Site } from '../../domain/site.ts'
import { FAMILIES, exitTo, isHost, legalSources, markOf } from './exit.ts'
import type { Exit, ExitOwnership } from './exit.ts'

/**
 * The nftables table that gives DOTS messages of internal clients the right source: RFC 9284 §5.2 has the CPE select it
 * when it forwards them. What goes to a server is marked as its provider's, routed by the mark, and rewritten on the way
 * out where the source is none that the provider lets in.
 */
export function exitFilter(site: Site, exits: readonly Exit[], ownership: ExitOwnership): string {
  const outside = exits.filter(({ isOwn }) => isOwn).map((exit) => `"${exit.interface}"`)
  const marks: string[] = []
  const drops: string[] = []
  const rewrites: string[] = []
  for (const [index, domain] of site.domains.entries()) {
    const exit = exitTo(domain.name, exits)
    if (exit === undefined) continue
    const mark = `0x${markOf(ownership, index).toString(16)}`
    for (const family of FAMILIES) {
      const reached = domain.servers.flatMap((server) => serverMatches(server, family))
      marks.push(...reached.map((match) => `${match} meta mark set ${mark}`))
      if (reached.length === 0 || !exit.isOwn) continue
      const legal = legalSources(site, domain, exit).filter(({ address }) => address.family === family)
      const match = `meta mark ${mark} oifname "${exit.interface}" ${foreignTo(legal, family)}`
      const source = exit.sources.find((address) => address.family === family)
      if (source === undefined) drops.push(`${match} counter drop`)
      else rewrites.push(`${match} counter snat ${wordOf(family)} to ${formatIpAddress(source)}`)
    }
  }
  const arrived = outside.length === 0 ? [] : [`iifname { ${[...new Set(outside)].join(', ')} } return`]
  return [
    `table inet ${ownership.nftTable} {`,
    ...chain('dots_mark', 'type filter hook prerouting priority mangle; policy accept;', [
      ...arrived,
      ...marks
    ]),
    ...chain('dots_guard', 'type filter hook forward priority filter; policy accept;', drops),
    ...chain('dots_source', 'type nat hook postrouting priority srcnat; policy accept;', rewrites),
    '}'
  ].join('\n')
}

function chain(name: string, head: string, rules: readonly string[]): string[] {
  if (rules.length === 0) return []
  return [`  chain ${name} {`, `    ${head}`, ...rules.map((rule) => `    ${rule}`), '  }']
}

/** One match for each address and transport of a server. */
function serverMatches({ addresses, port, tcpPort }: DotsServer, family: IpFamily): string[] {
  return addresses
    .filter((address) => address.family === family)
    .flatMap((address) => {
      const to = `${wordOf(family)} daddr ${formatIpAddress(address)}`
      return [`${to} udp dport ${port}`, `${to} tcp dport ${tcpPort ?? port}`]
    })
}

function foreignTo(legal: readonly IpPrefix[], family: IpFamily): string {
  const protocol = `meta nfproto ipv${family}`
  if (legal.length === 0) return protocol
  const texts = legal.map((prefix) =>
    isHost(prefix) ? formatIpAddress(prefix.address) : formatIpPrefix(prefix)
  )
  return `${protocol} ${wordOf(family)} saddr != { ${texts.join(', ')} }`
}

function wordOf(family: IpFamily): 'ip' | 'ip6' {
  return family === 4 ? 'ip' : 'ip6'
}
