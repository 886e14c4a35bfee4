import { ConfigError, parseIpAddress } from '@breakwater/core'
import {
  DEFAULT_EXIT_OWNERSHIP,
  DomainName,
  exitLines,
  exitProbes,
  judgeExit,
  planExits
} from '@breakwater/dots'
import type { Exit, ExitOwnership, ExitPlan, ExitProblem, ProbeVerdict, Site } from '@breakwater/dots'
import type { ExitChange } from '@breakwater/runtime'
import { loadSiteFile } from '../config/load.ts'
import type { SiteFile } from '../config/site-file.ts'
import { topologyOfFile } from './topology-of-file.ts'

type RouterOfFile = SiteFile['routers'][number]

/** What one router of a site has to do, as `dots site exits --json` prints it. */
export interface ExitsView {
  readonly router: string
  readonly lines: readonly string[]
  readonly problems: readonly ExitProblem[]
}

/** What the kernel of this host would do with the packets of a site. */
export interface ExitCheckView {
  readonly router: string
  /** Whether what `apply` would put in place stands. */
  readonly applied: boolean
  readonly paths: readonly ProbeVerdict[]
  readonly problems: readonly ExitProblem[]
}

interface RouterExits {
  readonly router: string
  readonly site: Site
  readonly exits: readonly Exit[]
  readonly inside: readonly string[]
  readonly plan: ExitPlan
}

/**
 * The rules, routes and filter of a router; without `router`, of the only one with exits.
 * @throws ConfigError with every mistake of the file, or when it has no such router.
 */
export function exitsOfSite(file: string, router?: string): ExitsView {
  const { plan, router: name } = read(file, router)
  return { router: name, lines: exitLines(plan), problems: plan.problems }
}

/** Asks the kernel by which exit each source of the site would leave. Changes nothing. */
export async function checkExits(file: string, router?: string): Promise<ExitCheckView> {
  const { site, exits, inside, plan, router: name } = read(file, router)
  const linux = await linuxExits(plan.ownership)
  const paths: ProbeVerdict[] = []
  for (const probe of exitProbes(site, exits, inside, plan.ownership))
    paths.push(judgeExit(probe, await linux.ask(probe), exits))
  return { router: name, applied: await linux.stands(plan), paths, problems: plan.problems }
}

/** Puts the exits into the kernel. @throws UnavailableError when the kernel refuses; all is as before then. */
export async function applyExits(file: string, router?: string): Promise<ExitChange> {
  const { plan } = read(file, router)
  return (await linuxExits(plan.ownership)).apply(plan)
}

/** Takes everything out of the kernel that is ours. */
export async function removeExits(file: string, router?: string): Promise<ExitChange> {
  return (await linuxExits(read(file, router).plan.ownership)).remove()
}

async function linuxExits(ownership: ExitOwnership) {
  const { LinuxExits } = await import('@breakwater/runtime')
  return new LinuxExits(ownership)
}

function read(file: string, name: string | undefined): RouterExits {
  const { config } = loadSiteFile(file)
  const router = chosenRouter(config, name)
  const { site } = topologyOfFile(config)
  const exits = exitsOf(router)
  const plan = planExits(site, exits, ownershipOf(config))
  return { router: router.name, site, exits, inside: router.inside ?? [], plan }
}

function chosenRouter({ routers }: SiteFile, name: string | undefined): RouterOfFile {
  const found = routers.filter((each) =>
    name === undefined ? (each.exits ?? []).length > 0 : each.name === name
  )
  const [router] = found
  if (router !== undefined && found.length === 1) return router
  const names = routers.map((each) => each.name).join(', ')
  const message =
    name === undefined
      ? `the site has ${found.length} routers with exits: say with --router which one of ${names} this is`
      : `there is no router called ${name}; there are ${names}`
  throw new ConfigError('SITE_ROUTER_UNKNOWN', message, [])
}

function exitsOf({ exits = [], ways = [] }: RouterOfFile): Exit[] {
  return [
    ...exits.map((exit) => ({
      domain: DomainName(exit.domain),
      interface: exit.interface,
      gateways: addresses(exit.gateways),
      sources: addresses(exit.sources),
      isOwn: true
    })),
    ...ways.map((way) => ({
      domain: DomainName(way.domain),
      interface: way.interface,
      gateways: addresses(way.gateways),
      sources: [],
      isOwn: false
    }))
  ]
}

function addresses(texts: readonly string[] = []): Exit['gateways'] {
  return texts.flatMap((text) => parseIpAddress(text) ?? [])
}

function ownershipOf({ exitRules = {} }: SiteFile): ExitOwnership {
  return { ...DEFAULT_EXIT_OWNERSHIP, ...exitRules }
}
