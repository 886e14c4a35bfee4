import { createHash, createPublicKey, X509Certificate } from 'node:crypto'
import { Milliseconds } from '@breakwater/core'
import {
  DEFAULT_SESSION_PARAMETERS,
  DEFAULT_WARM_STANDBY,
  cuidOf,
  DomainName,
  leastProbingRate
} from '@breakwater/dots'
import type {
  ClientCredentials,
  ClientPorts,
  Cuid,
  CuidSource,
  SessionParameters,
  SingleProvider,
  WantedConfiguration
} from '@breakwater/dots'
import { clientCredentialsOf } from '../config/credentials-of-config.ts'
import type { ClientConfig } from '../config/client-config.ts'
import type { ConfigFiles } from '../config/file-format.ts'
import { siteOfConfig } from '../config/site-of-config.ts'

/**
 * The part of a client's ports that its configuration decides.
 * @param cuids See `cuidsOf`.
 */
export function clientPorts(
  config: ClientConfig,
  files: ConfigFiles,
  cuids?: ReadonlyMap<DomainName, Cuid>
): Pick<
  ClientPorts,
  | 'site'
  | 'cuids'
  | 'reconnection'
  | 'happyEyeballs'
  | 'warmStandby'
  | 'configuration'
  | 'attackHandshakeRetransmission'
> & {
  readonly credentials: Map<DomainName, ClientCredentials>
} {
  const haste = config.attackHandshakeRetransmissionMilliseconds
  const credentials = new Map<DomainName, ClientCredentials>()
  for (const domain of config.domains)
    if (domain.credentials !== undefined)
      credentials.set(DomainName(domain.name), clientCredentialsOf(domain.credentials, files))
  const { site } = siteOfConfig(config)
  return {
    site,
    credentials,
    cuids: cuidsOf(credentials, cuids, site.providers),
    reconnection: config.reconnection ?? {},
    happyEyeballs: config.happyEyeballs ?? {},
    warmStandby: config.pathPool?.warmStandby ?? DEFAULT_WARM_STANDBY,
    ...(haste === undefined ? {} : { attackHandshakeRetransmission: Milliseconds(haste) }),
    configuration: configurationOf(config)
  }
}

/** What the client asks of the servers for its sessions (RFC 9132 §4.5); until they agree, the defaults hold. */
export function configurationOf({
  session,
  idleSession,
  serverDefaults
}: Pick<ClientConfig, 'session' | 'idleSession' | 'serverDefaults'>): WantedConfiguration {
  if (serverDefaults === true) return 'defaults'
  const mitigating = withProbingRate(session)
  const idle = withProbingRate({ ...session, ...idleSession })
  return { mitigating, idle }
}

/** RFC 9132 §4.5.2: no heartbeat waits for probing-rate. */
function withProbingRate(given: Partial<SessionParameters> = {}): SessionParameters {
  const values = { ...DEFAULT_SESSION_PARAMETERS, ...given }
  const least = leastProbingRate(values.heartbeatIntervalSeconds)
  return { ...values, probingRateBytesPerSecond: Math.max(values.probingRateBytesPerSecond, least) }
}

/**
 * RFC 9132 §4.4.1.1 derives the cuid from the credential. Where two domains share one, equal cuids would tell two
 * providers that they have the same customer: the later domain mixes its name in, which needs no storage either. Servers
 * that coordinate (RFC 9284 §5.4) are to know that they have: the attachments of such a provider have one cuid.
 * @param known Of domains that are in use: they keep theirs, whatever they show now, for their requests go by it.
 */
export function cuidsOf(
  credentials: ReadonlyMap<DomainName, ClientCredentials>,
  known: ReadonlyMap<DomainName, Cuid> = new Map(),
  providers: readonly SingleProvider[] = []
): Map<DomainName, Cuid> {
  const cuids = new Map([...known].filter(([domain]) => credentials.has(domain)))
  const taken = new Set<Cuid>(cuids.values())
  for (const [domain, credential] of credentials) {
    if (cuids.has(domain)) continue
    const source = cuidSource(credential)
    const usual = cuidOf(source, (bytes) => sha256(bytes))
    const shared = sharedCuid(domain, cuids, providers)
    if (shared !== undefined) {
      cuids.set(domain, shared)
      continue
    }
    const cuid = taken.has(usual) ? cuidOf(source, (bytes) => sha256(bytes, domain)) : usual
    taken.add(cuid)
    cuids.set(domain, cuid)
  }
  return cuids
}

/** The cuid by which servers that coordinate with those of this domain know us already. */
function sharedCuid(
  domain: DomainName,
  cuids: ReadonlyMap<DomainName, Cuid>,
  providers: readonly SingleProvider[]
): Cuid | undefined {
  const provider = providers.find(
    ({ domains, serversCoordinate }) => serversCoordinate === true && domains.includes(domain)
  )
  return provider?.domains.map((each) => cuids.get(each)).find((cuid) => cuid !== undefined)
}

function cuidSource(credential: ClientCredentials): CuidSource {
  if (credential.kind === 'psk') return { kind: 'psk', identity: credential.identity }
  // RFC 9132 §4.4.1.1: of a raw public key, too, the SubjectPublicKeyInfo.
  const publicKey =
    credential.kind === 'certificate'
      ? new X509Certificate(credential.certificate).publicKey
      : createPublicKey(credential.privateKey)
  return { kind: 'certificate', subjectPublicKeyInfo: publicKey.export({ type: 'spki', format: 'der' }) }
}

function sha256(bytes: Uint8Array, salt = ''): Uint8Array {
  return createHash('sha256').update(bytes).update(salt).digest()
}
