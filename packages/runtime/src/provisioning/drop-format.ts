import { DecodeError, formatIpAddress, formatIpPrefix, inSeconds } from '@breakwater/core'
import type { Duration, IpAddress, WallTime } from '@breakwater/core'
import { DomainName, LEARNT_LIMITS, LEARNT_ORIGINS } from '@breakwater/dots/learnt'
import type { FactLifetime, LearntConfiguration, LearntOrigin } from '@breakwater/dots'
import { leftOf, notLonger } from './fact-lifetime.ts'
import { JsonPlace } from './json-place.ts'
import type { JsonFields } from './json-place.ts'

/** What a file of the drop directory says; docs/protocol/provisioning.md describes it for those who write such files. */
export interface DropFile {
  readonly configuration: LearntConfiguration
  /** When lifetimes began. Undefined: when the file was written. */
  readonly writtenAt?: WallTime
  /** The same by the clock of the boot, which no step moves. */
  readonly boot?: BootTime
}

export interface BootTime {
  readonly id: string
  readonly uptimeSeconds: number
}

const domainNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const interfacePattern = /^[^\s/:]{1,15}$/
const bootIdPattern = /^[0-9a-f-]{1,64}$/
const dnsNamePattern =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?)*$/i

/** Whether a search domain is a name of DNS and nothing else. */
export function isSearchDomain(text: string): boolean {
  return dnsNamePattern.test(text)
}

export function isInterfaceName(text: string): boolean {
  return interfacePattern.test(text)
}

/**
 * Reads a file of the drop directory.
 * @throws DecodeError `RUNTIME_DROP_INVALID`, which says where it goes wrong.
 */
export function decodeDrop(text: string): DropFile {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new DecodeError(
      'RUNTIME_DROP_INVALID',
      'it is not JSON; is it half written? Rename it into place',
      { cause }
    )
  }
  const root = new JsonPlace(value, '').map([
    'version',
    'domain',
    'interface',
    'origin',
    'writtenAt',
    'boot',
    'prefixes',
    'addresses',
    'resolvers',
    'gateways',
    'searchDomains'
  ])
  const version = root.get('version')
  if (version.value !== 1) version.fail('must be 1')
  const [domain, via] = [root.get('domain'), root.get('interface')]
  if (domain.value === undefined && via.value === undefined) domain.fail('or "interface" must be there')
  return {
    configuration: {
      ...(domain.value === undefined ? {} : { domain: DomainName(domain.textLike(domainNamePattern)) }),
      ...(via.value === undefined ? {} : { interface: via.textLike(interfacePattern) }),
      origin: originOf(root.get('origin')),
      prefixes: root.get('prefixes').list(LEARNT_LIMITS.prefixes, (item) => {
        const fields = item.map(['prefix', 'validSeconds', 'preferredSeconds'])
        return { prefix: fields.get('prefix').prefix(), ...lifetimesOf(fields) }
      }),
      addresses: root.get('addresses').list(LEARNT_LIMITS.addresses, (item) => {
        const fields = item.map(['address', 'validSeconds', 'preferredSeconds'])
        return { address: fields.get('address').address(), ...lifetimesOf(fields) }
      }),
      resolvers: hostsOf(root.get('resolvers'), LEARNT_LIMITS.resolvers),
      gateways: hostsOf(root.get('gateways'), LEARNT_LIMITS.gateways),
      searchDomains: root.get('searchDomains').list(LEARNT_LIMITS.searchDomains, (item) => {
        const fields = item.map(['name', 'validSeconds'])
        return {
          name: fields.get('name').textLike(dnsNamePattern),
          valid: fields.get('validSeconds').lifetime()
        }
      })
    },
    ...momentOf(root)
  }
}

/** The file for a configuration, as `decodeDrop` reads it. */
export function encodeDrop({ configuration, writtenAt, boot }: DropFile): string {
  const { domain, interface: via, origin } = configuration
  const value = {
    version: 1,
    domain,
    interface: via,
    origin,
    writtenAt: writtenAt === undefined ? undefined : new Date(writtenAt).toISOString(),
    boot,
    prefixes: configuration.prefixes.map(({ prefix, valid, preferred }) => {
      return { prefix: formatIpPrefix(prefix), ...secondsOf(valid, preferred) }
    }),
    addresses: configuration.addresses.map(({ address, valid, preferred }) => {
      return { address: formatIpAddress(address), ...secondsOf(valid, preferred) }
    }),
    resolvers: configuration.resolvers.map(({ address, valid }) => {
      return { address: formatIpAddress(address), ...secondsOf(valid) }
    }),
    gateways: configuration.gateways.map(({ address, valid }) => {
      return { address: formatIpAddress(address), ...secondsOf(valid) }
    }),
    searchDomains: configuration.searchDomains.map(({ name, valid }) => ({ name, ...secondsOf(valid) }))
  }
  return `${JSON.stringify(value, undefined, 2)}\n`
}

/** What is left of a configuration whose lifetimes began `age` ago. */
export function aged(configuration: LearntConfiguration, age: Duration): LearntConfiguration {
  const left = (lifetime: FactLifetime): FactLifetime => leftOf(lifetime, age)
  const { prefixes, addresses, resolvers, gateways, searchDomains } = configuration
  return {
    ...configuration,
    prefixes: prefixes.map((each) => ({ ...each, valid: left(each.valid), preferred: left(each.preferred) })),
    addresses: addresses.map((each) => ({
      ...each,
      valid: left(each.valid),
      preferred: left(each.preferred)
    })),
    resolvers: resolvers.map((each) => ({ ...each, valid: left(each.valid) })),
    gateways: gateways.map((each) => ({ ...each, valid: left(each.valid) })),
    searchDomains: searchDomains.map((each) => ({ ...each, valid: left(each.valid) }))
  }
}

function secondsOf(
  valid: FactLifetime,
  preferred: FactLifetime = 'unlimited'
): Readonly<Record<string, number>> {
  return {
    ...(valid === 'unlimited' ? {} : { validSeconds: inSeconds(valid) }),
    ...(preferred === 'unlimited' ? {} : { preferredSeconds: inSeconds(preferred) })
  }
}

function originOf(place: JsonPlace): LearntOrigin {
  const found = LEARNT_ORIGINS.find((origin) => origin === (place.value ?? 'drop'))
  return found ?? place.fail(`must be one of ${LEARNT_ORIGINS.join(', ')}`)
}

function hostsOf(
  place: JsonPlace,
  most: number
): { readonly address: IpAddress; readonly valid: FactLifetime }[] {
  return place.list(most, (item) => {
    const fields = item.map(['address', 'validSeconds'])
    return { address: fields.get('address').address(), valid: fields.get('validSeconds').lifetime() }
  })
}

function lifetimesOf(fields: JsonFields): { readonly valid: FactLifetime; readonly preferred: FactLifetime } {
  const valid = fields.get('validSeconds').lifetime()
  const place = fields.get('preferredSeconds')
  const preferred = place.value === undefined ? valid : place.lifetime()
  // It is not taken, rather than mended.
  if (notLonger(preferred, valid) !== preferred) place.fail('must not be more than validSeconds')
  return { valid, preferred }
}

function momentOf(root: JsonFields): Pick<DropFile, 'writtenAt' | 'boot'> {
  const [writtenAt, boot] = [root.get('writtenAt'), root.get('boot')]
  const fields = boot.value === undefined ? undefined : boot.map(['id', 'uptimeSeconds'])
  return {
    ...(writtenAt.value === undefined ? {} : { writtenAt: writtenAt.moment() }),
    ...(fields === undefined
      ? {}
      : {
          boot: {
            id: fields.get('id').textLike(bootIdPattern),
            uptimeSeconds: fields.get('uptimeSeconds').seconds()
          }
        })
  }
}
