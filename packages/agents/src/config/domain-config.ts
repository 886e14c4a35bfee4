import { ASSUMED_PATH_MTU, DEFAULT_PORT } from '@breakwater/dots'
import { certificateCredentials, pskCredentials, rawPublicKeyCredentials } from './credentials-config.ts'
import { learning } from './learning-config.ts'
import { choice, either, flag, list, optional, section, text, whole } from './option.ts'
import { resolverOfDomain } from './resolver-config.ts'

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

/** One provider, or a service. */
export const provisioningDomain = section(
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
          'Bytes that its links carry in one packet, IP headers included. What does not fit one datagram is asked for in several. ICMP lowers it for a time, never below 1280 (IPv6) or 576 (IPv4).',
        default: ASSUMED_PATH_MTU,
        source: 'RFC 9132 §7.3'
      })
    ),
    server: optional(server),
    servers: optional(list(server, 1, { description: 'Several servers; instead of `server`.' })),
    preconfigured: optional(
      list(preconfiguredScope, 0, {
        description:
          'What its servers are to protect as soon as they lose the session, as a full link makes them: standing requests, renewed as long as the client runs. Of a pool, or of a provider that is asked over one attachment, the server that is asked; of one that is asked over all, the servers of all.',
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
