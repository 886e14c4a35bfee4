import { inSeconds } from '@breakwater/core'
import {
  ASSUMED_PATH_MTU,
  ATTEMPT_DELAY_MILLISECONDS,
  DEFAULT_ATTEMPT_RULE,
  DEFAULT_MIGRATION,
  DEFAULT_OUTCOME_AGE,
  DEFAULT_PORT,
  DEFAULT_RECONNECTION,
  DEFAULT_SESSION_PARAMETERS,
  DEFAULT_WARM_STANDBY,
  LEAST_UDP_PROBE_SECONDS,
  WARM_STANDBY
} from '@breakwater/dots'
import type { Static } from 'typebox'
import { addressSelection } from './address-selection-config.ts'
import { certificateCredentials, pskCredentials, rawPublicKeyCredentials } from './credentials-config.ts'
import { learning, provisioning } from './learning-config.ts'
import { choice, either, flag, list, optional, section, text, whole } from './option.ts'
import { controlSection, logSection } from './process-config.ts'
import { alias } from './alias-config.ts'
import { resolverOfDomain, resolverOfSite } from './resolver-config.ts'
import { sharingKeys } from './sharing-config.ts'
import { sessionParameters } from './session-config.ts'

const server = section(
  {
    name: text('dns-name', {
      description: 'Reference identifier: the DNS name that the certificate of the server must carry.',
      source: 'RFC 9132 §7.1'
    }),
    addresses: optional(
      list(text('ip-address', { description: 'An address of the server.' }), 1, {
        description:
          'Addresses of the server, the preferred one of each family first; IPv6 goes before IPv4. Left out: the name servers of this provider (`resolver`) are asked for `name`, unless `defaultRouter` is set.',
        source: 'RFC 9132 §4.3'
      })
    ),
    defaultRouter: optional(
      flag({
        description:
          'The default routers on the interfaces of this provider are its server, for want of addresses. What they show must carry `name` all the same.',
        default: false,
        source: 'RFC 9132 §4.3'
      })
    ),
    port: optional(
      whole(1, 65_535, {
        description: 'Port of the server, for UDP and TCP.',
        default: DEFAULT_PORT,
        source: 'RFC 9132 §3'
      })
    ),
    tcpPort: optional(whole(1, 65_535, { description: 'Port for TCP, where it is not `port`.' })),
    action: optional(
      choice(['in-place', 'divert'], {
        description:
          'Whether it mitigates where the traffic passes anyhow, or has it diverted to itself. `dots plan` warns where two providers would divert the same; left out: nobody knows.',
        source: 'RFC 8811 §2.3'
      })
    ),
    transports: optional(
      list(choice(['udp', 'tcp'], { description: 'DTLS over UDP or TLS over TCP.' }), 1, {
        description:
          'How the server is reached: both, or UDP alone with a raw public key. UDP is preferred where both lead to it.',
        source: 'RFC 9132 §4.3'
      })
    )
  },
  { description: 'A DOTS server of this provider.' }
)

const preconfiguredScope = section(
  {
    prefixes: list(text('ip-prefix', { description: 'A prefix that is this provider’s to protect.' }), 1, {
      description: 'The prefixes; requests during an attack are cut at their borders.',
      source: 'RFC 9132 §4.4.1.3'
    }),
    lifetimeSeconds: optional(
      whole(60, 2_147_483_647, {
        description: 'Lifetime that is asked for, and renewed.',
        default: 3600,
        source: 'RFC 9132 §4.4.1.1'
      })
    )
  },
  { description: 'One standing request.' }
)

const translation = section(
  {
    internal: text('ip-prefix', { description: 'A prefix that is used inside.' }),
    external: text('ip-prefix', {
      description: 'Addresses of this provider: of the same length, one for each, or one host for all.'
    })
  },
  { description: 'A static translation.' }
)

const provisioningDomain = section(
  {
    name: text('name', { description: 'Name of the provider, for people and logs. Unique.' }),
    kind: optional(
      choice(['access', 'service'], {
        description:
          'A provider with a link, or a mitigation service of a third party: without interfaces, sources and prefixes, reached over the links of the others.',
        default: 'access',
        source: 'RFC 9284 §4'
      })
    ),
    protects: optional(
      list(text('ip-prefix', { description: 'A prefix of the site.' }), 0, {
        description:
          'Of a service: what it may protect. It is asked about provider-independent prefixes of this list, and about those of a provider with a consent only.',
        default: [],
        source: 'RFC 9284 §4'
      })
    ),
    translations: optional(
      list(translation, 0, {
        description:
          'What it translates internal addresses to. Targets that name these are asked for as the world sees them.',
        default: [],
        source: 'RFC 9132 §3'
      })
    ),
    pool: optional(
      flag({
        description:
          'Its servers stand in for one another: one that there is a session with is asked, instead of all.',
        default: false
      })
    ),
    interfaces: optional(
      list(text('interface', { description: 'An interface towards this provider.' }), 0, {
        description: 'Sessions to its servers use these interfaces only; empty: any active one.',
        default: [],
        source: 'RFC 9284 §5.1'
      })
    ),
    sources: optional(
      list(text('ip-address', { description: 'A local address.' }), 0, {
        description:
          'Local addresses that sessions leave from, the preferred one first; empty: those that the system has, in the order of RFC 6724, less those of other providers.',
        default: [],
        source: 'RFC 9284 §5.1'
      })
    ),
    prefixes: optional(
      list(text('ip-prefix', { description: 'A provider-aggregatable prefix.' }), 0, {
        description: 'Prefixes that this provider assigned. Only its own servers are asked to protect them.',
        default: [],
        source: 'RFC 9284 §5.1'
      })
    ),
    mtuBytes: optional(
      whole(576, 9000, {
        description:
          'Bytes that its links carry in one packet, IP headers included. What does not fit one datagram is asked for in several.',
        default: ASSUMED_PATH_MTU,
        source: 'RFC 9132 §7.3'
      })
    ),
    server: optional(server),
    servers: optional(list(server, 1, { description: 'Several servers; instead of `server`.' })),
    preconfigured: optional(
      list(preconfiguredScope, 0, {
        description:
          'What its servers are to protect as soon as they lose the session, as a full link makes them: standing requests, renewed as long as the client runs.',
        default: [],
        source: 'RFC 9132 §4.4.1.1'
      })
    ),
    learn: optional(learning),
    resolver: optional(resolverOfDomain),
    credentials: optional(
      either([certificateCredentials, pskCredentials, rawPublicKeyCredentials], {
        description: 'What the client shows to the servers of this provider, and to no others.',
        source: 'RFC 9284 §5.1'
      })
    )
  },
  { description: 'One provider: its link, its prefixes, its DOTS servers.' }
)

const ownPrefix = section(
  {
    prefix: text('ip-prefix', { description: 'A provider-independent prefix.' }),
    domains: optional(
      list(text('name', { description: 'Name of a domain.' }), 1, {
        description: 'The providers that announce it; left out: all.'
      })
    )
  },
  { description: 'A prefix of the site itself.' }
)

const reconnection = section(
  {
    firstRetrySeconds: optional(
      whole(60, 300, {
        description: 'Until a session that could not be established is tried again.',
        default: DEFAULT_RECONNECTION.firstRetrySeconds,
        source: 'RFC 9132 §4.7'
      })
    ),
    retrySeconds: optional(
      whole(60, 3600, {
        description: 'That time is doubled with every failure up to this.',
        default: DEFAULT_RECONNECTION.retrySeconds,
        source: 'RFC 9132 §4.7'
      })
    ),
    localRetrySeconds: optional(
      whole(1, 60, {
        description: 'Until the next try after one that sent nothing, for want of an interface or address.',
        default: DEFAULT_RECONNECTION.localRetrySeconds
      })
    )
  },
  { description: 'How soon sessions are tried again.', default: {} }
)

const happyEyeballs = section(
  {
    attemptDelayMilliseconds: optional(
      whole(ATTEMPT_DELAY_MILLISECONDS.minimum, ATTEMPT_DELAY_MILLISECONDS.maximum, {
        description: 'Until the next path to a server is tried beside the one before.',
        default: DEFAULT_ATTEMPT_RULE.attemptDelayMilliseconds,
        source: 'RFC 8305 §5'
      })
    ),
    attackAttemptDelayMilliseconds: optional(
      whole(ATTEMPT_DELAY_MILLISECONDS.minimum, ATTEMPT_DELAY_MILLISECONDS.maximum, {
        description: 'The same during an attack.',
        default: DEFAULT_ATTEMPT_RULE.attackAttemptDelayMilliseconds,
        source: 'RFC 9132 §4.3'
      })
    ),
    outcomeAgeSeconds: optional(
      whole(0, 3600, {
        description: 'For how long the outcomes of attempts decide in which order paths are tried.',
        default: inSeconds(DEFAULT_OUTCOME_AGE),
        source: 'RFC 9132 §4.3'
      })
    ),
    udpProbeSeconds: optional(
      whole(LEAST_UDP_PROBE_SECONDS, 2_592_000, {
        description:
          'How often a session over TCP looks whether UDP works. Below a day against a SHOULD NOT.',
        default: DEFAULT_MIGRATION.udpProbeSeconds,
        source: 'RFC 9132 §4.3'
      })
    )
  },
  { description: 'How the paths to a server are tried.', default: {} }
)

const pathPool = section(
  {
    warmStandby: optional(
      choice(WARM_STANDBY, {
        description:
          'Whether a second session is kept with each server, so that what is asked need not wait for a handshake when a path fails. `apart`: on a path with another address of the server, interface or source, where there is one. `any`: also on one that differs by its transport alone, as TCP beside UDP. `off`: none.',
        default: DEFAULT_WARM_STANDBY
      })
    )
  },
  { description: 'What is made of what is known of paths.', default: {} }
)

/** The configuration of `dots client`. */
export const clientConfigSchema = section(
  {
    site: optional(
      section(
        {
          providerIndependent: optional(
            list(ownPrefix, 0, {
              description: 'Prefixes of the site itself. The servers of all their providers are asked.',
              default: [],
              source: 'RFC 9284 §5.2'
            })
          ),
          resolver: optional(resolverOfSite),
          aliases: optional(
            list(alias, 0, {
              description:
                'What targets are called by. Servers do not know these names: each is asked for its own part of what they stand for.',
              default: [],
              source: 'RFC 9284 §6'
            })
          ),
          ...sharingKeys
        },
        { description: 'What belongs to the site and to no provider, or to several.', default: {} }
      )
    ),
    domains: list(provisioningDomain, 1, { description: 'The upstream providers.' }),
    provisioning: optional(provisioning),
    store: optional(
      section(
        { path: text('path', { description: 'SQLite file; made when it does not exist.' }) },
        {
          description:
            'Where protections, requests and what was learnt of the paths are kept: a client that starts again goes on with them. Left out: it forgets them.'
        }
      )
    ),
    control: optional(controlSection('/run/breakwater/client.sock')),
    log: optional(logSection),
    session: optional(
      sessionParameters('What is asked of the servers for every session.', DEFAULT_SESSION_PARAMETERS)
    ),
    idleSession: optional(
      sessionParameters(
        'The same while no mitigation is active; what is left out is as in `session`. An interval of 240 seconds keeps a translator on the way from forgetting, and little else.',
        {}
      )
    ),
    serverDefaults: optional(
      flag({
        description:
          'Ask the servers to go back to their own values for every session, instead of `session` and `idleSession`, which are left out then.',
        default: false,
        source: 'RFC 9132 §4.5.4'
      })
    ),
    addressSelection: optional(addressSelection),
    reconnection: optional(reconnection),
    happyEyeballs: optional(happyEyeballs),
    pathPool: optional(pathPool),
    attackHandshakeRetransmissionMilliseconds: optional(
      whole(400, 1000, {
        description:
          'During an attack, how long a flight of a DTLS handshake waits for its answer before it is sent again. Left out: 1000, as RFC 6347 §4.2.4.1 wants it. Less is a deviation for links that lose much.',
        source: 'RFC 9147 §5.8.2'
      })
    ),
    defaults: optional(
      section(
        {
          lifetimeSeconds: optional(
            whole(60, 2_147_483_647, {
              description: 'Lifetime that is asked for when a protection names none.',
              default: 3600,
              source: 'RFC 9132 §4.4.1'
            })
          ),
          require: optional(
            choice(['all', 'any'], {
              description:
                'When a protection that lacks something is an alarm: any server is missing, or all of a part.',
              default: 'all'
            })
          )
        },
        { description: 'What holds where a command says nothing else.', default: {} }
      )
    )
  },
  {
    description: 'Configuration of a DOTS client at a site with one or more providers.',
    title: 'dots client'
  }
)

/** What a checked client configuration looks like. */
export type ClientConfig = Static<typeof clientConfigSchema>
