import { UnavailableError, formatIpAddress, parseIpAddress } from '@breakwater/core'
import type { Duration, IpAddress, SocketAddress } from '@breakwater/core'
import type { NameAnswer, Resolver } from '@breakwater/dots'
import { Resolver as NodeResolver } from 'node:dns/promises'

/** What a resolver over UDP and TCP needs to know. */
export interface PlainResolverOptions {
  /** Recursive servers, in order of preference; undefined: those of the system. */
  readonly servers?: readonly SocketAddress[]
  /** Until a question has failed, all servers and families together. */
  readonly timeLimit: Duration
  /** Local addresses that questions leave from, the first of each family; none: by the routes. */
  readonly sources?: readonly IpAddress[]
}

/** Questions to one server before the next is asked. */
const TRIES = 2

/**
 * Resolves by plain DNS. Whoever is on the way sees the names, and may lie about them: for a resolver on this host or a
 * network that is trusted (RFC 9132 §11 wants privacy elsewhere: `openTlsResolver`).
 */
export function openPlainResolver({ servers, timeLimit, sources }: PlainResolverOptions): Resolver {
  const count = Math.max(1, servers?.length ?? 1)
  const timeout = Math.max(1, Math.floor(timeLimit / (TRIES * count * 2)))
  const resolver = new NodeResolver({ timeout, tries: TRIES })
  if (servers !== undefined) resolver.setServers(servers.map((server) => serverText(server)))
  const [ipv4, ipv6] = ([4, 6] as const).map((family) => sourceText(sources, family))
  if (ipv4 !== undefined || ipv6 !== undefined) resolver.setLocalAddress(ipv4 ?? '0.0.0.0', ipv6 ?? '::')
  return {
    name: 'dns',
    resolve: (name) => resolveBoth(resolver, name, timeLimit),
    close() {
      resolver.cancel()
      return Promise.resolve()
    }
  }
}

interface Half {
  readonly addresses: readonly IpAddress[]
  readonly ttlSeconds: number
  readonly exists: boolean
}

async function resolveBoth(resolver: NodeResolver, name: string, timeLimit: Duration): Promise<NameAnswer> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(unavailable(name, 'no answer in time')), timeLimit)
  })
  try {
    const both = Promise.all([
      half(name, resolver.resolve4(`${name}.`, { ttl: true })),
      half(name, resolver.resolve6(`${name}.`, { ttl: true }))
    ])
    const halves = await Promise.race([both, late])
    if (!halves.some(({ exists }) => exists)) return { kind: 'no-such-name' }
    return {
      kind: 'addresses',
      addresses: halves.flatMap(({ addresses }) => addresses),
      ttlSeconds: Math.min(...halves.map(({ ttlSeconds }) => ttlSeconds))
    }
  } finally {
    clearTimeout(timer)
  }
}

async function half(
  name: string,
  question: Promise<readonly { readonly address: string; readonly ttl: number }[]>
): Promise<Half> {
  try {
    const records = await question
    const addresses = records.flatMap(({ address }) => parseIpAddress(address) ?? [])
    return { addresses, ttlSeconds: Math.min(...records.map(({ ttl }) => ttl)), exists: true }
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENODATA') return { addresses: [], ttlSeconds: Infinity, exists: true }
    if (code === 'ENOTFOUND') return { addresses: [], ttlSeconds: Infinity, exists: false }
    throw unavailable(name, code, error)
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

function unavailable(name: string, reason: string, cause?: unknown): UnavailableError {
  return new UnavailableError('DNS_FAILED', `${name}: ${reason}`, true, { cause })
}

function serverText({ address, port }: SocketAddress): string {
  const text = formatIpAddress(address)
  return address.family === 6 ? `[${text}]:${port}` : `${text}:${port}`
}

function sourceText(sources: readonly IpAddress[] | undefined, family: 4 | 6): string | undefined {
  const source = sources?.find((each) => each.family === family)
  return source && formatIpAddress(source)
}
