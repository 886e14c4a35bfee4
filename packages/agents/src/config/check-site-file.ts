import { checkSite } from '@breakwater/dots'
import type { SiteProblem } from '@breakwater/dots'
import { parseIpAddress } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import { present } from './draft.ts'
import type { Draft } from './draft.ts'
import { nearestWord } from './nearest-word.ts'
import type { ConfigPath, ShapeProblem } from './shape.ts'
import type { SiteFile } from './site-file.ts'
import { siteOfConfig } from './site-of-config.ts'

type RouterDraft = Draft<SiteFile['routers'][number]>

/** What `checkSite` says of domains, servers and prefixes; a plan has no sessions, so that their paths do not matter. */
const concerning: ReadonlySet<SiteProblem['code']> = new Set([
  'DOMAIN_DUPLICATE',
  'SERVER_DUPLICATE',
  'PREFIX_OF_TWO',
  'PI_WITHOUT_DOMAIN',
  'PI_DOMAIN_UNKNOWN'
])

/** What the keys of a site file must hold together. `whole`: no mistake of form was found. */
export function checkSiteFile(file: Draft<SiteFile>, whole: boolean): ShapeProblem[] {
  const { site, places } = siteOfConfig({ domains: file.domains, site: file.site })
  const names = {
    domain: namesOf(file.domains),
    router: namesOf(file.routers),
    link: namesOf(file.links)
  }
  return [
    ...checkSite(site)
      .filter(({ code }) => concerning.has(code) && (whole || code !== 'PI_DOMAIN_UNKNOWN'))
      .map(({ place, message }) => ({ path: places.get(place) ?? ['domains'], message })),
    ...repeated(file.routers, ['routers']),
    ...repeated(file.links, ['links']),
    ...present(file.domains).flatMap(([index, domain]) => lifetimeProblems(domain, ['domains', index])),
    ...present(file.routers).flatMap(([index, router]) => [
      ...unknownNames(router, ['routers', index], names),
      ...exitProblems(router, ['routers', index])
    ]),
    ...present(file.links).flatMap(([index, link]) => hostProblems(link.hosts, ['links', index, 'hosts']))
  ]
}

function namesOf(
  items: readonly ({ readonly name?: string | undefined } | undefined)[] | undefined
): string[] {
  return present(items).flatMap(([, { name }]) => name ?? [])
}

function repeated(
  items: readonly ({ readonly name?: string | undefined } | undefined)[] | undefined,
  path: ConfigPath
): ShapeProblem[] {
  const seen = new Set<string>()
  return present(items).flatMap(([index, { name }]) => {
    if (name === undefined) return []
    if (seen.has(name)) return [{ path: [...path, index, 'name'], message: `${name} is there twice` }]
    seen.add(name)
    return []
  })
}

function lifetimeProblems(
  { preferredLifetimeSeconds: preferred, validLifetimeSeconds: valid }: Draft<SiteFile['domains'][number]>,
  path: ConfigPath
): ShapeProblem[] {
  if (preferred === undefined || valid === undefined || preferred <= valid) return []
  // RFC 8415 §21.22
  const message = `the preferred lifetime ${preferred} is longer than the valid one, ${valid}`
  return [{ path: [...path, 'preferredLifetimeSeconds'], message }]
}

function unknownNames(
  { name, exits, ways, requestsFrom, links }: RouterDraft,
  path: ConfigPath,
  names: Readonly<Record<'domain' | 'router' | 'link', readonly string[]>>
): ShapeProblem[] {
  const problems: ShapeProblem[] = []
  const look = (kind: keyof typeof names, word: string | undefined, at: ConfigPath): void => {
    if (word === undefined || names[kind].includes(word)) return
    const near = nearestWord(word, names[kind])
    const hint = near === undefined ? '' : `; did you mean "${near}"?`
    problems.push({ path: at, message: `there is no ${kind} called "${word}"${hint}` })
  }
  for (const [index, exit] of present(exits)) look('domain', exit.domain, [...path, 'exits', index, 'domain'])
  for (const [index, way] of present(ways)) look('domain', way.domain, [...path, 'ways', index, 'domain'])
  for (const [index, link] of present(links)) look('link', link, [...path, 'links', index])
  for (const [index, asked] of present(requestsFrom)) {
    look('router', asked, [...path, 'requestsFrom', index])
    if (asked === name)
      problems.push({ path: [...path, 'requestsFrom', index], message: `${asked} asks itself` })
  }
  for (const [key, words] of Object.entries({ links, requestsFrom }))
    for (const [index, word] of present(words))
      if (words?.indexOf(word) !== index)
        problems.push({ path: [...path, key, index], message: `${word} is there twice` })
  return problems
}

/** These names become words of `ip` and nft, where others would mean something else. */
const plainInterface = /^[A-Za-z0-9._@-]+$/

function exitProblems({ exits, ways, inside }: RouterDraft, path: ConfigPath): ShapeProblem[] {
  const problems: ShapeProblem[] = []
  const seen = new Set<string>()
  const named: (readonly [ConfigPath, string | undefined])[] = present(inside).map(([index, device]) => [
    [...path, 'inside', index],
    device
  ])
  for (const [key, list] of [
    ['exits', exits],
    ['ways', ways]
  ] as const)
    for (const [index, each] of present(list)) {
      const at = [...path, key, index]
      named.push([[...at, 'interface'], each.interface])
      problems.push(...oneOfEachFamily(each.gateways, [...at, 'gateways']))
      if (each.domain !== undefined && seen.has(each.domain))
        problems.push({ path: [...at, 'domain'], message: `there are two ways to ${each.domain}; keep one` })
      if (each.domain !== undefined) seen.add(each.domain)
    }
  for (const [index, { sources }] of present(exits))
    problems.push(...oneOfEachFamily(sources, [...path, 'exits', index, 'sources']))
  for (const [at, device] of named)
    if (device !== undefined && !plainInterface.test(device))
      problems.push({ path: at, message: 'must have letters, digits, dots, hyphens, underscores and @ only' })
  return problems
}

function oneOfEachFamily(
  texts: readonly (string | undefined)[] | undefined,
  path: ConfigPath
): ShapeProblem[] {
  const families = present(texts).map(([index, text]) => [index, parseIpAddress(text)?.family] as const)
  return families
    .filter(([index, family]) => families.some(([other, same]) => other < index && same === family))
    .map(([index, family]) => ({
      path: [...path, index],
      message: `a second IPv${family} address; keep one`
    }))
}

function hostProblems(
  hosts: Draft<NonNullable<SiteFile['links']>[number]>['hosts'],
  path: ConfigPath
): ShapeProblem[] {
  const seen = new Map<string, string>()
  return present(hosts).flatMap(([index, { name = 'a host', interfaceId }]): ShapeProblem[] => {
    const address = interfaceId === undefined ? undefined : parseIpAddress(interfaceId)
    if (address === undefined) return []
    const at = [...path, index, 'interfaceId']
    if (!isInterfaceId(address))
      return [{ path: at, message: 'must be the last 64 bits of an IPv6 address, such as ::10' }]
    const key = `${address.c}:${address.d}`
    const owner = seen.get(key)
    if (owner !== undefined)
      return [{ path: at, message: `${name} and ${owner} would have the same addresses` }]
    seen.set(key, name)
    return []
  })
}

/** RFC 4291 §2.6.1: the interface id 0 is the routers' anycast address. */
function isInterfaceId({ family, a, b, c, d }: IpAddress): boolean {
  return family === 6 && a === 0 && b === 0 && (c !== 0 || d !== 0)
}
