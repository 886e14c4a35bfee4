import { Type } from 'typebox'
import type { Static } from 'typebox'

/** The values of one of the two sets of a session's configuration (RFC 9132 §4.5). */
const sessionParameters = {
  heartbeatIntervalSeconds: Type.Number(),
  missingHeartbeatsAllowed: Type.Number(),
  probingRateBytesPerSecond: Type.Number(),
  maxRetransmit: Type.Number(),
  ackTimeoutSeconds: Type.Number(),
  ackRandomFactor: Type.Number()
}

/** A signal session of either agent. */
const sessionSchema = Type.Object({
  /** A client: the server's name. A server: the client's. */
  peer: Type.String(),
  domain: Type.Optional(Type.String()),
  state: Type.String(),
  remote: Type.Optional(Type.String()),
  local: Type.Optional(Type.String()),
  /** `udp` or `tcp`. */
  transport: Type.Optional(Type.String()),
  interface: Type.Optional(Type.String()),
  /** One sentence for people. */
  text: Type.Optional(Type.String()),
  /** A client: how each path to the server fares, or fared when it was last tried. */
  candidates: Type.Optional(Type.Array(Type.Object({ path: Type.String(), text: Type.String() }))),
  /** A client: where the server sends it, and whether that one stands in (RFC 9132 §4.6). */
  redirect: Type.Optional(
    Type.Object({
      alternate: Type.String(),
      state: Type.Union([Type.Literal('standing-in'), Type.Literal('unreachable'), Type.Literal('refused')]),
      /** Why it does not. */
      reason: Type.Optional(Type.String())
    })
  ),
  /** What an established session goes by now, and which of the two sets that is (RFC 9132 §4.5). */
  parameters: Type.Optional(
    Type.Object({
      set: Type.Union([Type.Literal('idle'), Type.Literal('mitigating')]),
      ...sessionParameters
    })
  ),
  /** A server: who the client proved to be. */
  identity: Type.Optional(Type.String()),
  /** A server: how old the session is, and for how long nothing has come over it. */
  ageSeconds: Type.Optional(Type.Number()),
  silentSeconds: Type.Optional(Type.Number()),
  /** A server: its heartbeats since the last answer to one. */
  unansweredHeartbeats: Type.Optional(Type.Integer()),
  /** A server: both sets; without a `sid` the client conveyed none, and the server's own hold (RFC 9132 §4.5.2). */
  configuration: Type.Optional(
    Type.Object({
      sid: Type.Optional(Type.Integer()),
      idle: Type.Object(sessionParameters),
      mitigating: Type.Object(sessionParameters)
    })
  ),
  /** A server: what the client called itself in this session. */
  cuids: Type.Optional(Type.Array(Type.String())),
  /** A server: mitigations of the client, by whatever session, and observations of this session. */
  mitigations: Type.Optional(Type.Integer()),
  observations: Type.Optional(Type.Integer())
})
/** What `dots status` shows of a session. */
export type SessionView = Static<typeof sessionSchema>

/** Answer to `GET /v1/sessions`. */
export const sessionsSchema = Type.Object({ sessions: Type.Array(sessionSchema) })
