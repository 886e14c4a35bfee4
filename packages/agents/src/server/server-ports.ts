import { InternalError, parseIpAddress, parseIpPrefix, Seconds } from '@breakwater/core'
import type {
  IpAddress,
  IpPrefix,
  SecureEndpointLimits,
  SecureStreamLimits,
  ServerCredentials,
  Transport
} from '@breakwater/core'
import { DEFAULT_SERVER_POLICY } from '@breakwater/dots'
import type { ClientDomain, Redirection, ServerPolicy, ServerPorts } from '@breakwater/dots'
import type { ConfigFiles } from '../config/file-format.ts'
import { certificateCredentialsOf, keyOf } from '../config/credentials-of-config.ts'
import type { ServerConfig } from '../config/server-config.ts'

/** What a server authenticates with: certificates, keys, or several of them. */
export function serverCredentials(config: ServerConfig, files: ConfigFiles): ServerCredentials {
  const { credentials, rawPublicKey } = config
  const keys = (config.preSharedKeys ?? []).map(
    ({ identity, keyFile }) => [identity, keyOf(keyFile, files)] as const
  )
  const peerKeys = config.clients.flatMap(({ identity }) =>
    'publicKey' in identity ? [identity.publicKey] : []
  )
  return {
    ...(credentials === undefined ? {} : { certificate: certificateCredentialsOf(credentials, files) }),
    ...(keys.length === 0 ? {} : { preSharedKeys: new Map(keys) }),
    ...(rawPublicKey === undefined
      ? {}
      : {
          rawPublicKey: {
            kind: 'raw-public-key',
            privateKey: files.text(rawPublicKey.privateKey),
            peerKeys
          }
        })
  }
}

/** What of it TLS over TCP has. */
export function streamCredentials({ certificate, preSharedKeys }: ServerCredentials): ServerCredentials {
  return {
    ...(certificate === undefined ? {} : { certificate }),
    ...(preSharedKeys === undefined ? {} : { preSharedKeys })
  }
}

/** The secure endpoints of a server. */
export function listenOptions(config: ServerConfig, files: ConfigFiles): ServerPorts['listen'] {
  const credentials = serverCredentials(config, files)
  const ofStreams = streamCredentials(credentials)
  return config.listen.flatMap((listener) => {
    const local = { address: checkedAddress(listener.address), port: listener.port ?? 0 }
    const device = listener.interface === undefined ? {} : { interface: listener.interface }
    return transportsOfListener(listener, Object.keys(ofStreams).length > 0).map((transport) =>
      transport === 'udp'
        ? { local, transport, ...device, ...credentials, limits: datagramLimits(config) }
        : { local, transport, ...ofStreams, limits: streamLimits(config) }
    )
  })
}

function datagramLimits({ limits }: ServerConfig): SecureEndpointLimits {
  const { handshakes, sessions, ...rest } = limits?.dtls ?? {}
  return {
    ...rest,
    ...(handshakes === undefined ? {} : { handshaking: handshakes }),
    ...(sessions === undefined ? {} : { peers: sessions })
  }
}

function streamLimits({ limits }: ServerConfig): SecureEndpointLimits & SecureStreamLimits {
  const given = limits?.tls
  if (given === undefined) return {}
  const { handshakes, connections, handshakesPerSource, connectionsPerSource, handshakeSeconds } = given
  return {
    ...(handshakes === undefined ? {} : { handshaking: handshakes }),
    ...(connections === undefined ? {} : { peers: connections }),
    ...(handshakesPerSource === undefined ? {} : { handshakingPerSource: handshakesPerSource }),
    ...(connectionsPerSource === undefined ? {} : { peersPerSource: connectionsPerSource }),
    ...(handshakeSeconds === undefined ? {} : { handshake: Seconds(handshakeSeconds) })
  }
}

/** Always UDP first: where the system is to choose the port, TCP takes the same. */
function transportsOfListener(
  { transports, interface: device }: ServerConfig['listen'][number],
  hasStreamCredentials: boolean
): readonly Transport[] {
  if (transports !== undefined) return ALL_TRANSPORTS.filter((transport) => transports.includes(transport))
  // Node cannot bind a listening TCP socket to an interface, and one that is reached by others is not what was asked for.
  return device === undefined && hasStreamCredentials ? ALL_TRANSPORTS : ['udp']
}

const ALL_TRANSPORTS: readonly Transport[] = ['udp', 'tcp']

/** Who may ask, and for what. */
export function clientDomains(config: ServerConfig): ClientDomain[] {
  return config.clients.map(({ name, identity, prefixes, cdids = [], gateway = false }) => ({
    name,
    cdids,
    isGateway: gateway,
    dnsNames: 'dnsName' in identity ? [identity.dnsName] : [],
    pskIdentities: 'pskIdentity' in identity ? [identity.pskIdentity] : [],
    publicKeys: 'publicKey' in identity ? [identity.publicKey] : [],
    prefixes: prefixes.map((text) => checkedPrefix(text))
  }))
}

/** What the operator decided; the rest is as `DEFAULT_SERVER_POLICY` says. The schema has filled in all defaults. */
export function serverPolicy(config: ServerConfig): Partial<ServerPolicy> {
  const { lifetime, session, limits, activeButTerminatingSeconds, statusIntervalSeconds } = config
  const { clientConflict, onSignalLoss, onOverlap, attackStoppedSeconds } = config
  const { redirection } = config
  const defaults = DEFAULT_SERVER_POLICY
  const grace = activeButTerminatingSeconds === undefined ? undefined : Seconds(activeButTerminatingSeconds)
  return {
    lifetime: { ...defaults.lifetime, ...lifetime },
    session: { ...defaults.session, ...session },
    limits: { ...defaults.limits, ...limits },
    ...(grace === undefined ? {} : { activeButTerminating: grace }),
    ...(clientConflict === undefined ? {} : { clientConflict }),
    ...(redirection === undefined ? {} : { redirection: redirectionOf(redirection) }),
    ...(onSignalLoss === undefined ? {} : { onSignalLoss }),
    ...(onOverlap === undefined ? {} : { onOverlap }),
    ...(attackStoppedSeconds === undefined ? {} : { attackStoppedAfter: Seconds(attackStoppedSeconds) }),
    ...(statusIntervalSeconds === undefined ? {} : { statusInterval: Seconds(statusIntervalSeconds) })
  }
}

function redirectionOf(redirection: NonNullable<ServerConfig['redirection']>): Redirection {
  const { server, addresses, ttlSeconds = 86_400, clients = 'all' } = redirection
  return { server, addresses: addresses.map((text) => checkedAddress(text)), ttlSeconds, clients }
}

function checkedAddress(text: string): IpAddress {
  return parseIpAddress(text) ?? unchecked(text)
}

function checkedPrefix(text: string): IpPrefix {
  return parseIpPrefix(text) ?? unchecked(text)
}

/** The configuration was checked: a text that cannot be read here is a mistake of ours. */
function unchecked(text: string): never {
  throw new InternalError('CONFIG_UNCHECKED', `${JSON.stringify(text)} passed the check of the configuration`)
}
