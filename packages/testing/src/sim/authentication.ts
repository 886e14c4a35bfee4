import { ConfigError, toHex } from '@breakwater/core'
import type {
  ClientCredentials,
  PeerIdentity,
  PskCredentials,
  SecureEndpointOptions,
  ServerCredentials,
  SessionFailure,
  WallTime
} from '@breakwater/core'
import { identityOf, parseCertificate, readCredentials } from './certificate.ts'
import type { UsableCredentials } from './certificate.ts'
import { simulatedDigest } from './digest.ts'
import type { Alert, HandshakeMessage, Mechanism } from './handshake-message.ts'
import type { SessionName } from './record.ts'

/** How a side judges what the other one showed. */
export type Judgement =
  | { readonly kind: 'accepted'; readonly identity: PeerIdentity; readonly key: string }
  | { readonly kind: 'refused'; readonly reason: SessionFailure; readonly alert: Alert }
  /** RFC 6347 §4.1.2.7: a record that does not verify is dropped without a word. */
  | { readonly kind: 'ignored' }

/** What an endpoint authenticates with, read once when it opens. */
export interface Authentication {
  readonly certificate: UsableCredentials | undefined
  readonly ownKey: PskCredentials | undefined
  readonly keys: ReadonlyMap<string, Uint8Array>
}

type ClientFinished = Extract<HandshakeMessage, { kind: 'client-finished' }>

/** Throws a ConfigError on unusable credentials. */
export function readAuthentication(options: SecureEndpointOptions): Authentication {
  for (const name of ['ticketKeys', 'sessions', 'serviceName', 'constrainedPeers'])
    if (name in options) throw unknownToTheSimulation(name)
  return options.role === 'client'
    ? readClientCredentials(options.credentials)
    : readServerCredentials(options)
}

function readClientCredentials(credentials: ClientCredentials): Authentication {
  if (credentials.kind === 'raw-public-key') throw unknownToTheSimulation('credentials.kind')
  return credentials.kind === 'psk'
    ? { certificate: undefined, ownKey: credentials, keys: new Map() }
    : { certificate: readCredentials(credentials), ownKey: undefined, keys: new Map() }
}

function readServerCredentials(credentials: ServerCredentials): Authentication {
  const { certificate, preSharedKeys, rawPublicKey } = credentials
  if (rawPublicKey !== undefined) throw unknownToTheSimulation('rawPublicKey')
  if (certificate === undefined && (preSharedKeys?.size ?? 0) === 0) throw nothingToAuthenticateWith()
  return {
    certificate: certificate === undefined ? undefined : readCredentials(certificate),
    ownKey: undefined,
    keys: new Map(preSharedKeys)
  }
}

/** The same for credentials that replace those of before. Throws a ConfigError on unusable ones. */
export function readReplacement(
  role: SecureEndpointOptions['role'],
  credentials: ServerCredentials | ClientCredentials
): Authentication {
  const ofClient = 'kind' in credentials
  if (ofClient !== (role === 'client')) throw ofAnotherRole(role)
  return ofClient ? readClientCredentials(credentials) : readServerCredentials(credentials)
}

/** Whether a server can do what the client offers. */
export function supports(own: Authentication, mechanism: Mechanism): boolean {
  return mechanism === 'psk' ? own.keys.size > 0 : own.certificate !== undefined
}

/** Flight 5 of a client. */
export function clientFinished(own: Authentication, session: SessionName): ClientFinished {
  const { ownKey, certificate } = own
  return {
    kind: 'client-finished',
    certificate: certificate?.pem ?? '',
    pskIdentity: ownKey?.identity ?? '',
    finished: finishedOf(session, ownKey === undefined ? '' : toHex(ownKey.key), 'client')
  }
}

/** A server judges flight 5. */
export function judgeClient(
  own: Authentication,
  session: SessionName,
  message: ClientFinished,
  now: WallTime
): Judgement {
  if (message.certificate !== '') return judgeCertificate(own, message.certificate, now)
  const key = own.keys.get(message.pskIdentity)
  if (key === undefined) return refused('no-shared-key', 'unknown_psk_identity')
  if (message.finished !== finishedOf(session, toHex(key), 'client')) return { kind: 'ignored' }
  return { kind: 'accepted', identity: { kind: 'psk', identity: message.pskIdentity }, key: toHex(key) }
}

/** A client judges flight 4; `serverName` is the DNS-ID that it wants to see (RFC 6125 §6.4.1: without case). */
export function judgeServer(
  own: Authentication,
  certificate: string,
  serverName: string,
  now: WallTime
): Judgement {
  if (own.ownKey !== undefined) {
    const { identity, key } = own.ownKey
    return { kind: 'accepted', identity: { kind: 'psk', identity }, key: toHex(key) }
  }
  const judgement = judgeCertificate(own, certificate, now)
  const dnsNames = parseCertificate(certificate)?.dnsNames ?? []
  if (judgement.kind === 'accepted' && !dnsNames.includes(serverName.toLowerCase()))
    return refused('name-mismatch', 'bad_certificate')
  return judgement
}

/** The proof at the end of a flight that its sender has the key; certificates have none to prove here. */
export function finishedOf(session: SessionName, key: string, sender: 'client' | 'server'): string {
  return simulatedDigest(`${sender} ${session.client} ${session.server} ${key}`)
}

function judgeCertificate(own: Authentication, text: string, now: WallTime): Judgement {
  const certificate = parseCertificate(text)
  if (certificate === undefined || own.certificate?.trusted.has(certificate.authority) !== true)
    return refused('certificate-refused', 'bad_certificate')
  if (certificate.notAfter !== undefined && now > certificate.notAfter)
    return refused('certificate-refused', 'certificate_expired')
  return { kind: 'accepted', identity: identityOf(certificate), key: '' }
}

function refused(reason: SessionFailure, alert: Alert): Judgement {
  return { kind: 'refused', reason, alert }
}

function ofAnotherRole(role: SecureEndpointOptions['role']): ConfigError {
  const message = `these are not the credentials of a ${role}`
  return new ConfigError('TESTING_CREDENTIALS_UNUSABLE', message, [{ path: 'credentials', message }])
}

function unknownToTheSimulation(path: string): ConfigError {
  const message = `${path}: this is not known to the simulation`
  return new ConfigError('TESTING_CREDENTIALS_UNUSABLE', message, [{ path, message }])
}

function nothingToAuthenticateWith(): ConfigError {
  const message = 'a server needs a certificate or pre-shared keys'
  return new ConfigError('TESTING_CREDENTIALS_MISSING', message, [{ path: 'certificate', message }])
}
