import { Type } from 'typebox'
import type { Static } from 'typebox'

const directionState = Type.Union([
  Type.Literal('unknown'),
  Type.Literal('up'),
  Type.Literal('suspect'),
  Type.Literal('down')
])

/** A legal path to a DOTS server, and what is known of it. */
const pathSchema = Type.Object({
  server: Type.String(),
  domain: Type.String(),
  transport: Type.String(),
  source: Type.String(),
  interface: Type.Optional(Type.String()),
  remote: Type.String(),
  /** The router that it leads by: `192.0.2.254 on wan-a`. */
  nextHop: Type.Optional(Type.String()),
  use: Type.Union([
    Type.Literal('session'),
    Type.Literal('parallel'),
    Type.Literal('stand-by'),
    Type.Literal('unused')
  ]),
  state: directionState,
  outward: directionState,
  inward: directionState,
  /** What is the matter, where something is: `late`, `inbound-full`, `outbound-broken`, `dead`. */
  condition: Type.Optional(Type.String()),
  /** -1 … 1 */
  score: Type.Number(),
  /** The part of the path that the score comes from: `via wan-a`. */
  inheritedFrom: Type.Optional(Type.String()),
  /** The last evidence, in words. */
  because: Type.String(),
  /** Bytes that it carries in one packet, IP and UDP headers included. */
  mtuBytes: Type.Integer(),
  /** By what: ICMP (`said`), the site plan (`configured`), RFC 9132 §7.3 (`assumed`). */
  mtuSource: Type.Union([Type.Literal('said'), Type.Literal('configured'), Type.Literal('assumed')]),
  roundTripMilliseconds: Type.Optional(Type.Number()),
  roundTripVariationMilliseconds: Type.Optional(Type.Number()),
  timeouts: Type.Integer(),
  goodSecondsAgo: Type.Optional(Type.Number()),
  badSecondsAgo: Type.Optional(Type.Number())
})
/** What `dots path list` shows of a path. */
export type PathView = Static<typeof pathSchema>

/** Answer to `GET /v1/paths`: the paths to all servers, and what is none. */
export const pathsSchema = Type.Object({
  paths: Type.Array(pathSchema),
  illegal: Type.Array(Type.Object({ server: Type.String(), domain: Type.String(), because: Type.String() }))
})
/** What `dots path list` shows. */
export type PathsView = Static<typeof pathsSchema>
