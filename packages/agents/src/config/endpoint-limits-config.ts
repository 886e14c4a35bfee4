import { DEFAULT_ENDPOINT_LIMITS, DEFAULT_STREAM_LIMITS, inSeconds } from '@breakwater/core'
import { optional, section, whole } from './option.ts'

const datagrams = DEFAULT_ENDPOINT_LIMITS
const streams = DEFAULT_STREAM_LIMITS

/** More than any host has room for. */
const MOST = 10_000_000

/** What those may take who come over UDP and have no session yet, and how many may have one. */
export const dtlsLimits = section(
  {
    hellosPerSecondPerSource: optional(
      whole(1, 1_000_000, {
        description:
          'Hellos in a second from one IPv4 address or one IPv6 /64; a handshake needs two. More are dropped unread.',
        default: datagrams.hellosPerSecondPerSource,
        source: 'RFC 9132 §11'
      })
    ),
    unverifiedHellosPerSecond: optional(
      whole(1, 10_000_000, {
        description:
          'Hellos in a second that do not prove where they come from, of all sources; more are dropped unread.',
        default: datagrams.unverifiedHellosPerSecond,
        source: 'RFC 6347 §4.2.1'
      })
    ),
    handshakes: optional(
      whole(1, MOST, {
        description: 'Handshakes at a time; of one source no more than an eighth of them.',
        default: datagrams.handshaking
      })
    ),
    sessions: optional(
      whole(1, MOST, {
        description: 'Sessions, handshakes included.',
        default: datagrams.peers
      })
    )
  },
  { description: 'DTLS over UDP, for each address that is listened on. Read at the start only.', default: {} }
)

/** The same over TCP, where each connection is an open file. */
export const tlsLimits = section(
  {
    handshakesPerSource: optional(
      whole(1, MOST, {
        description: 'Handshakes at a time from one IPv4 address or one IPv6 /64; more are turned away.',
        default: streams.handshakingPerSource,
        source: 'RFC 9132 §11'
      })
    ),
    connectionsPerSource: optional(
      whole(1, MOST, {
        description: 'Connections of one such source, handshakes included.',
        default: streams.peersPerSource,
        source: 'RFC 9132 §11'
      })
    ),
    handshakes: optional(
      whole(1, MOST, {
        description: 'Handshakes at a time of all sources.',
        default: streams.handshaking
      })
    ),
    connections: optional(
      whole(1, MOST, {
        description: 'Connections, handshakes included; each is an open file.',
        default: streams.peers
      })
    ),
    handshakeSeconds: optional(
      whole(1, 600, {
        description: 'How long a handshake may take.',
        default: inSeconds(streams.handshake)
      })
    )
  },
  { description: 'TLS over TCP, for each address that is listened on. Read at the start only.', default: {} }
)
