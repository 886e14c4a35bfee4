import { Type } from 'typebox'
import type { Static } from 'typebox'
import { inSeconds } from '@breakwater/core'
import {
  DEFAULT_SESSION_PARAMETERS,
  ACTIVE_BUT_TERMINATING,
  DEFAULT_LIFETIME_POLICY,
  DEFAULT_PORT,
  DEFAULT_SERVER_POLICY
} from '@breakwater/dots'
import { certificateCredentials, preSharedKey, serverRawPublicKey } from './credentials-config.ts'
import { dtlsLimits, tlsLimits } from './endpoint-limits-config.ts'
import { choice, either, flag, list, optional, section, text, whole } from './option.ts'
import { controlSection, logSection } from './process-config.ts'
import { redirection } from './redirection-config.ts'
import { resolver } from './resolver-config.ts'
import { sessionParameters } from './session-config.ts'

const listener = section(
  {
    address: text('ip-address', { description: 'Local address; `0.0.0.0` or `::` for all of a family.' }),
    port: optional(
      whole(0, 65_535, {
        description: 'Port for UDP and TCP; 0 lets the system choose one.',
        default: DEFAULT_PORT,
        source: 'RFC 9132 §3'
      })
    ),
    transports: optional(
      list(choice(['udp', 'tcp'], { description: 'DTLS over UDP or TLS over TCP.' }), 1, {
        description:
          'How clients reach the server: both, unless `interface` is given, which TCP cannot have.',
        source: 'RFC 9132 §3'
      })
    ),
    interface: optional(text('interface', { description: 'Listen on this interface only; UDP.' }))
  },
  { description: 'One address that the server listens on.' }
)

const clientIdentity = either(
  [
    section(
      { dnsName: text('dns-name', { description: 'DNS name that the certificate of the client carries.' }) },
      { description: 'A client with a certificate.' }
    ),
    section(
      { pskIdentity: text('psk-identity', { description: 'Identity of a key of `preSharedKeys`.' }) },
      { description: 'A client with a pre-shared key.' }
    ),
    section(
      {
        publicKey: text('key-digest', {
          description: 'SHA-256 of its public key: 64 hexadecimal digits, or the first 30 of them.'
        })
      },
      { description: 'A client with a raw public key.' }
    )
  ],
  { description: 'How the client proves who it is: by certificate, by pre-shared key or by raw public key.' }
)

const knownClient = section(
  {
    name: text('name', { description: 'Name of the client domain, for people and logs. Unique.' }),
    identity: clientIdentity,
    prefixes: list(text('ip-prefix', { description: 'An address range of the client domain.' }), 1, {
      description: 'What the client may ask protection for: these ranges and parts of them, nothing else.',
      source: 'RFC 9132 §4.4.1'
    }),
    cdids: optional(
      list(text('cdid', { description: 'A hash that a gateway sends as `cdid`.' }), 1, {
        description: 'What trusted gateways call the client; all of these mean the same.',
        source: 'RFC 9132 §4.4.1.2'
      })
    ),
    gateway: optional(
      flag({
        description: 'This is a gateway that is trusted to say by `cdid` for which client it asks.',
        default: false,
        source: 'RFC 9132 §4.4.1.2'
      })
    )
  },
  { description: 'A client that the server serves.' }
)

const mitigator = either(
  [
    section(
      { kind: Type.Literal('dry-run', { description: 'Writes to the log what it would do.' }) },
      { description: 'Changes nothing on this host.' }
    ),
    section(
      {
        kind: Type.Literal('nftables', { description: 'Discards in the packet filter of this host.' }),
        table: optional(
          text('name', {
            description: 'Name of the table, which belongs to Breakwater alone.',
            default: 'breakwater'
          })
        ),
        hook: optional(
          choice(['forward', 'input', 'prerouting'], {
            description: '`forward` on a router, `input` on the attacked host itself, `prerouting` for both.',
            default: 'forward'
          })
        )
      },
      { description: 'Discards with nftables on this host.' }
    )
  ],
  { description: 'What carries out mitigations.' }
)

const lifetime = section(
  {
    maximumSeconds: optional(
      whole(60, 2_147_483_647, {
        description: 'The longest lifetime that is granted; longer and indefinite requests get this one.',
        default: DEFAULT_LIFETIME_POLICY.maximumSeconds,
        source: 'RFC 9132 §4.4.1.1'
      })
    ),
    minimumSeconds: optional(
      whole(1, 86_400, {
        description: 'The shortest lifetime that is granted; shorter requests get this one. Left out: none.',
        source: 'RFC 9132 §4.4.1.1'
      })
    ),
    grantIndefinite: optional(
      flag({
        description: 'Grant indefinite requests as they are; such mitigations end only when withdrawn.',
        default: DEFAULT_LIFETIME_POLICY.grantIndefinite,
        source: 'RFC 9132 §4.4.1.1'
      })
    )
  },
  { description: 'How long mitigations may last.', default: {} }
)

const limits = section(
  {
    mitigations: optional(
      whole(1, 10_000_000, {
        description: 'Mitigations of all clients together.',
        default: DEFAULT_SERVER_POLICY.limits.mitigations
      })
    ),
    mitigationsPerClient: optional(
      whole(1, 1_000_000, {
        description: 'Mitigations of one client.',
        default: DEFAULT_SERVER_POLICY.limits.mitigationsPerClient
      })
    ),
    cuidsPerClient: optional(
      whole(1, 1_000_000, {
        description: 'Identifiers that one client uses at a time; it should use one.',
        default: DEFAULT_SERVER_POLICY.limits.cuidsPerClient,
        source: 'RFC 9132 §4.4.1.1'
      })
    ),
    targetsPerRequest: optional(
      whole(1, 65_535, {
        description: 'Prefixes, names and URIs of one request.',
        default: DEFAULT_SERVER_POLICY.limits.targetsPerRequest
      })
    ),
    requestsPerClientPerSecond: optional(
      whole(1, 1_000_000, {
        description: 'Requests of one client in a second, on average; heartbeats do not count.',
        default: DEFAULT_SERVER_POLICY.limits.requestsPerClientPerSecond,
        source: 'RFC 9132 §11'
      })
    ),
    requestBurstPerClient: optional(
      whole(1, 1_000_000, {
        description: 'Requests of one client at once, after a time without any.',
        default: DEFAULT_SERVER_POLICY.limits.requestBurstPerClient,
        source: 'RFC 9132 §11'
      })
    ),
    streamsPerClient: optional(
      whole(1, 1000, {
        description:
          'Sessions of one client over TCP; a further one ends the one that was silent for longest.',
        default: DEFAULT_SERVER_POLICY.limits.streamsPerClient
      })
    ),
    dtls: optional(dtlsLimits),
    tls: optional(tlsLimits)
  },
  { description: 'What one server carries at most; requests beyond are refused.', default: {} }
)

/** The configuration of `dots server`. */
export const serverConfigSchema = section(
  {
    listen: list(listener, 1, { description: 'Where clients reach the server.' }),
    credentials: optional(certificateCredentials),
    preSharedKeys: optional(
      list(preSharedKey, 0, {
        description: 'Keys shared with clients that have no certificate.',
        default: []
      })
    ),
    rawPublicKey: optional(serverRawPublicKey),
    clients: list(knownClient, 1, { description: 'The clients that are served, and what each may ask for.' }),
    mitigator,
    store: section(
      {
        path: text('path', { description: 'SQLite file; made when it does not exist.' }),
        shared: optional(
          flag({
            description:
              'Other servers of the provider on this computer use the same file, and coordinate by it. All must say so, serve the same clients by the same policy, and have the same mitigator.',
            default: false,
            source: 'RFC 9284 §5.4'
          })
        )
      },
      { description: 'Where mitigations are kept, so that they survive a restart.' }
    ),
    control: optional(controlSection('/run/breakwater/server.sock')),
    audit: optional(
      section(
        { path: text('path', { description: 'File that JSON lines are appended to; made with mode 0600.' }) },
        { description: 'A record of every mitigation request that was seen, with its answer.' }
      )
    ),
    log: optional(logSection),
    lifetime: optional(lifetime),
    session: optional(sessionParameters('Parameters of signal sessions.', DEFAULT_SESSION_PARAMETERS)),
    activeButTerminatingSeconds: optional(
      whole(0, 300, {
        description:
          'How long a filter stays after its client withdrew it, in case that was a mistake. Not shorter than routes take to settle where the client moves its own.',
        default: inSeconds(ACTIVE_BUT_TERMINATING),
        source: 'RFC 9132 §4.4.4'
      })
    ),
    clientConflict: optional(
      choice(['accept', 'reject', 'prefer-latest', 'reject-all'], {
        description:
          'Requests of two clients that overlap: keep both in force, refuse the later one, take the earlier one out of force, or both.',
        default: 'accept',
        source: 'RFC 9132 §4.4.1.3'
      })
    ),
    onSignalLoss: optional(
      choice(['replace', 'add', 'ignore'], {
        description:
          'When a client is lost, bring its preconfigured requests into force instead of those they overlap, or beside them, or do nothing.',
        default: 'replace',
        source: 'RFC 9132 §4.4.1.3, §4.7'
      })
    ),
    onOverlap: optional(
      choice(['deactivate', 'keep'], {
        description: 'What an immediate request does to an overlapping preconfigured one that is in force.',
        default: 'deactivate',
        source: 'RFC 9132 §4.4.1.3'
      })
    ),
    attackStoppedSeconds: optional(
      whole(60, 86_400, {
        description:
          'Tell clients that an attack has stopped when nothing more was discarded for so long; they withdraw then. Left out: never.',
        source: 'RFC 9132 §4.4.2'
      })
    ),
    statusIntervalSeconds: optional(
      whole(1, 3600, {
        description: 'How often counters are read and observing clients are told, while an attack goes on.',
        default: 30,
        source: 'RFC 9132 §4.4.2.1'
      })
    ),
    resolver: optional(resolver),
    redirection: optional(redirection),
    limits: optional(limits)
  },
  { description: 'Configuration of a DOTS server.', title: 'dots server' }
)

/** What a checked server configuration looks like. */
export type ServerConfig = Static<typeof serverConfigSchema>
