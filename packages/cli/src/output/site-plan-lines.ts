import type { SitePlanView } from '@breakwater/agents'
import { hanging, table } from './table.ts'
import { durationText } from './words.ts'

/** The plan of a site for people. */
export function sitePlanLines({ routers, links, hosts, prefixes, problems }: SitePlanView): string[] {
  const blocks = routers.flatMap(({ router, blocks: own }) =>
    own.map((block) => [
      router,
      block.prefix,
      block.domain,
      block.from ?? 'the provider',
      preferredText(block)
    ])
  )
  const numbered = links.map((link) => [
    link.link,
    link.prefix,
    link.domain,
    link.router,
    preferredText(link)
  ])
  const addresses = hosts.flatMap(({ host, link, addresses: own }) =>
    own.map((each, index) => [
      index === 0 ? `${host} on ${link}` : '',
      each.address,
      each.state,
      each.firstHop
    ])
  )
  const rows = prefixes.map((row) => [
    row.prefix,
    row.text,
    row.exitRouters.join(', ') || 'none',
    [...row.servers, ...row.uncovered.map((domain) => `none of ${domain}`)].join(', ') || 'none'
  ])
  return [
    ...table(['ROUTER', 'BLOCK', 'DOMAIN', 'FROM', 'PREFERRED FOR'], blocks),
    ...spaced(table(['LINK', 'PREFIX', 'DOMAIN', 'ROUTER', 'PREFERRED FOR'], numbered)),
    ...spaced(table(['HOST', 'ADDRESS', 'STATE', 'FIRST HOP'], addresses)),
    ...spaced(table(['PREFIX', 'CLASS', 'EXIT', 'DOTS SERVERS'], rows)),
    ...spaced(
      problems.flatMap(({ severity, place, message }) => hanging(`${severity}: `, `${place}: ${message}`))
    )
  ]
}

function spaced(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', ...lines]
}

function preferredText({ preferredSeconds, validSeconds }: Lifetime): string {
  return preferredSeconds === 0 ? `not; valid ${durationText(validSeconds)}` : durationText(preferredSeconds)
}

interface Lifetime {
  readonly preferredSeconds: number
  readonly validSeconds: number
}
