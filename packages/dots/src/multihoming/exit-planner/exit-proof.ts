import { equalIpAddresses, formatIpAddress, ipv6, ipv4 } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import type { DomainName } from '../../domain/identifier.ts'
import type { Site } from '../../domain/site.ts'
import { exitTo, markOf } from './exit.ts'
import type { Exit, ExitOwnership } from './exit.ts'

/** A question to the kernel: by which way would this packet go? */
export interface ExitProbe {
  readonly source: IpAddress
  readonly destination: IpAddress
  /** The provider that it has to leave by. */
  readonly domain: DomainName
  /** Where it comes in; undefined: it is our own. */
  readonly arrival?: string
  /** `dots`: a message to a server from a source that is not its provider's, as the filter marks it. */
  readonly mark?: number
}

/** What the kernel said. */
export interface RouteAnswer {
  readonly interface?: string
  readonly gateway?: IpAddress
  /** Why there is no way. */
  readonly fault?: string
}

export interface ProbeVerdict {
  readonly kind: 'right' | 'killed' | 'no-way' | 'elsewhere'
  readonly text: string
}

/** Every source of every provider to every server that has its family, and DOTS messages from every other source. */
export function exitProbes(
  site: Site,
  exits: readonly Exit[],
  inside: readonly string[],
  ownership: ExitOwnership
): ExitProbe[] {
  const servers = site.domains.flatMap(({ servers: own }) => own.flatMap(({ addresses }) => addresses))
  return site.domains.flatMap((domain, index) => {
    const exit = exitTo(domain.name, exits)
    const sources: Pick<ExitProbe, 'source' | 'arrival'>[] = [
      ...(exit?.sources ?? []).map((source) => ({ source })),
      ...inside.flatMap((arrival) => domain.prefixes.map((prefix) => ({ source: hostIn(prefix), arrival })))
    ]
    const mark = markOf(ownership, index)
    const own = domain.servers.flatMap(({ addresses }) => addresses)
    const strangers = site.domains
      .filter((other) => other !== domain)
      .flatMap(({ prefixes }) => prefixes.map((prefix) => hostIn(prefix)))
    const dots =
      exit === undefined
        ? []
        : inside.flatMap((arrival) =>
            strangers.flatMap((source) => own.map((destination) => ({ source, destination, arrival, mark })))
          )
    return [...sources.flatMap((from) => servers.map((destination) => ({ ...from, destination }))), ...dots]
      .filter(({ source, destination }) => source.family === destination.family)
      .map((probe) => ({ ...probe, domain: domain.name }))
  })
}

/** Compares what the kernel said with the exit that it has to be. */
export function judgeExit(probe: ExitProbe, answer: RouteAnswer, exits: readonly Exit[]): ProbeVerdict {
  const path = `${formatIpAddress(probe.source)} to ${formatIpAddress(probe.destination)}`
  const what = probe.mark === undefined ? path : `DOTS from ${path}`
  if (answer.interface === undefined)
    return { kind: 'no-way', text: `${what} goes nowhere: ${answer.fault ?? 'unreachable'}` }
  const exit = exits.find(({ domain }) => domain === probe.domain)
  if (exit !== undefined && leadsBy(exit, answer, probe))
    return { kind: 'right', text: `${what} leaves by ${exit.interface} (${probe.domain})` }
  const other = exits.find((each) => each.domain !== probe.domain && leadsBy(each, answer, probe))
  return other === undefined
    ? {
        kind: 'elsewhere',
        text: `${what} leaves by ${answer.interface}, which is no exit to ${probe.domain}`
      }
    : {
        kind: 'killed',
        text: `${what} leaves by ${other.interface}, and ingress filtering of ${other.domain} would kill it: it belongs to ${probe.domain}`
      }
}

function leadsBy(exit: Exit, answer: RouteAnswer, { source }: ExitProbe): boolean {
  if (exit.interface !== answer.interface) return false
  const gateway = exit.gateways.find(({ family }) => family === source.family)
  if (gateway === undefined || answer.gateway === undefined) return gateway === answer.gateway
  return equalIpAddresses(gateway, answer.gateway)
}

/** An address in a prefix that is likely to be nobody's own: of IPv4 its last but one, of IPv6 the one that ends in 2. */
function hostIn({ address: { family, a, b, c, d }, length }: IpPrefix): IpAddress {
  if (family === 4) return length >= 31 ? ipv4(a) : ipv4(a + 2 ** (32 - length) - 2)
  return length >= 127 ? ipv6(a, b, c, d) : ipv6(a, b, c, d + 2)
}
