import { Type } from 'typebox'
import type { Static } from 'typebox'

/**
 * The contract of the local control API: what goes over the socket, as JSON. Agents check requests with these schemas,
 * tests check answers. Keys are only ever added.
 */

/** Prefixes of one command at most. */
const MAXIMUM_PREFIXES = 256

/** Domain names of one command at most; the same of URIs and aliases. */
const MAXIMUM_NAMES = 64

const portRangeSchema = Type.Object(
  {
    lower: Type.Integer({ minimum: 0, maximum: 65_535 }),
    upper: Type.Integer({ minimum: 0, maximum: 65_535 })
  },
  { additionalProperties: false }
)

const targetKeys = {
  /** `203.0.113.7`, `2001:db8::/48` */
  prefixes: Type.Optional(
    Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: MAXIMUM_PREFIXES })
  ),
  /** Domain names: whatever addresses they have, now and later. */
  fqdns: Type.Optional(Type.Array(Type.String({ maxLength: 255 }), { maxItems: MAXIMUM_NAMES })),
  /** URIs: their scheme and port say protocols and port. */
  uris: Type.Optional(Type.Array(Type.String({ maxLength: 2048 }), { maxItems: MAXIMUM_NAMES })),
  /** Names of `site.aliases` in the configuration of the agent. */
  aliases: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: MAXIMUM_NAMES })),
  ports: Type.Optional(Type.Array(portRangeSchema, { maxItems: 64 })),
  /** IANA protocol numbers. */
  protocols: Type.Optional(Type.Array(Type.Integer({ minimum: 0, maximum: 255 }), { maxItems: 64 })),
  /** Ask for what belongs to the site even when another part of the target does not. */
  allowPartial: Type.Optional(Type.Boolean())
}

/** Body of `POST /v1/plan`. */
export const planRequestSchema = Type.Object(
  {
    ...targetKeys,
    /** Ask no resolver; a target that has names is refused then. */
    offline: Type.Optional(Type.Boolean())
  },
  { additionalProperties: false }
)
export type PlanRequest = Static<typeof planRequestSchema>

/** Body of `POST /v1/protections`. */
export const protectRequestSchema = Type.Object(
  {
    ...targetKeys,
    /** Seconds; −1: until released (RFC 9132 §4.4.1.1). Left out: the agent's default. */
    lifetimeSeconds: Type.Optional(Type.Integer({ minimum: -1, maximum: 2_147_483_647 })),
    /** Whether what is missing is an alarm: any server, or only a part that no server protects. Left out: `all`. */
    require: Type.Optional(Type.Union([Type.Literal('all'), Type.Literal('any')]))
  },
  { additionalProperties: false }
)
export type ProtectRequest = Static<typeof protectRequestSchema>

/** Body of `POST /v1/protections/ID/efficacy`: what is seen of the attack (RFC 9132 §4.4.3). */
export const efficacyRequestSchema = Type.Object(
  { attackStatus: Type.Union([Type.Literal('under-attack'), Type.Literal('mitigated')]) },
  { additionalProperties: false }
)
export type EfficacyRequest = Static<typeof efficacyRequestSchema>

const targetSchema = Type.Object({
  prefixes: Type.Array(Type.String()),
  ports: Type.Array(portRangeSchema),
  protocols: Type.Array(Type.Integer())
})
export type TargetView = Static<typeof targetSchema>

const decisionSchema = Type.Object({ server: Type.String(), domain: Type.String(), text: Type.String() })

const consentSchema = Type.Object({
  name: Type.String(),
  server: Type.String(),
  of: Type.String(),
  givenBy: Type.String(),
  /** RFC 3339. */
  until: Type.String()
})

/** What a name means to the site. */
const nameSchema = Type.Object({
  name: Type.String(),
  /** `resolving`, `resolved`, `kept` (nobody says any more, and the last addresses stay), `unresolved`, `no-room`. */
  state: Type.String(),
  addresses: Type.Array(Type.String()),
  /** Those of them that the last answer left out, and that stay as long as others may remember them. */
  leaving: Type.Optional(Type.Array(Type.String())),
  askedAgainInSeconds: Type.Optional(Type.Number()),
  /** What is wrong. */
  text: Type.Optional(Type.String())
})
export type NameView = Static<typeof nameSchema>

/** Where a target would go, and why. */
export const planSchema = Type.Object({
  verdict: Type.Union([
    Type.Literal('placed'),
    Type.Literal('partial'),
    Type.Literal('waiting'),
    Type.Literal('refused')
  ]),
  names: Type.Optional(Type.Array(nameSchema)),
  parts: Type.Array(
    Type.Object({
      prefixes: Type.Array(Type.String()),
      class: Type.String(),
      asked: Type.Array(decisionSchema),
      /** Consents because of which servers hear of another provider's prefixes (RFC 9284 §6). */
      consents: Type.Array(consentSchema),
      notAsked: Type.Array(decisionSchema)
    })
  ),
  refusals: Type.Array(
    Type.Object({ prefixes: Type.Array(Type.String()), because: Type.String(), text: Type.String() })
  ),
  uncovered: Type.Array(
    Type.Object({ domain: Type.String(), prefixes: Type.Array(Type.String()), text: Type.String() })
  ),
  /** Internal prefixes that no provider translates. */
  waiting: Type.Array(Type.Object({ prefixes: Type.Array(Type.String()), text: Type.String() })),
  /** What is asked as it must be, and may do harm all the same (RFC 8811 §2.3). */
  warnings: Type.Optional(
    Type.Array(
      Type.Object({
        prefixes: Type.Array(Type.String()),
        servers: Type.Array(Type.String()),
        text: Type.String()
      })
    )
  ),
  /** What the world sees in place of internal prefixes. */
  translated: Type.Array(
    Type.Object({ domain: Type.String(), internal: Type.String(), external: Type.String() })
  )
})
export type PlanView = Static<typeof planSchema>

/** What one server was asked for a protection, and what became of it. */
const requestSchema = Type.Object({
  server: Type.String(),
  domain: Type.String(),
  prefixes: Type.Array(Type.String()),
  /** `planned`, `asking`, `in-force`, `waiting`, `refused`, `conflict`. */
  state: Type.String(),
  /** One sentence for people: what the server said, or what is waited for. */
  text: Type.String(),
  mitigationId: Type.Optional(Type.Integer()),
  /** The server's own word of the mitigation (RFC 9132 §4.4.2, Table 3). */
  status: Type.Optional(Type.String()),
  /** −1: indefinite. */
  remainingLifetimeSeconds: Type.Optional(Type.Number()),
  droppedPackets: Type.Optional(Type.String()),
  droppedBytes: Type.Optional(Type.String())
})
export type RequestView = Static<typeof requestSchema>

/** One protection, with what each server makes of it. */
export const protectionSchema = Type.Object({
  id: Type.String(),
  /** Grows with every change: wait for the next one with `afterRevision`. */
  revision: Type.Integer(),
  state: Type.Union([
    Type.Literal('planned'),
    Type.Literal('asking'),
    Type.Literal('protected'),
    Type.Literal('partly-protected'),
    Type.Literal('waiting'),
    Type.Literal('refused'),
    Type.Literal('ending'),
    Type.Literal('ended')
  ]),
  target: targetSchema,
  /** What it is for besides. */
  named: Type.Optional(
    Type.Object({
      fqdns: Type.Array(Type.String()),
      uris: Type.Array(Type.String()),
      aliases: Type.Array(Type.String())
    })
  ),
  /** What the names of it mean, those of its URIs and aliases, too. */
  names: Type.Optional(Type.Array(nameSchema)),
  requests: Type.Array(requestSchema),
  /** What is missing for full protection, and why. */
  missing: Type.Array(Type.String()),
  /** The same, piece by piece. */
  missingParts: Type.Optional(
    Type.Array(
      Type.Object({
        /** `asking`, `waiting`, `refused`, `conflict`, `uncovered`, `foreign`, `filtered`, `outdated`. */
        kind: Type.String(),
        domain: Type.Optional(Type.String()),
        server: Type.Optional(Type.String()),
        text: Type.String()
      })
    )
  ),
  /** Which pieces may not be missing: any server, or a part that no server protects. */
  require: Type.Optional(Type.Union([Type.Literal('all'), Type.Literal('any')])),
  /** Something is missing that `require` does not allow to be missing. */
  alarm: Type.Optional(Type.Boolean()),
  /** Servers that were asked for the same and do not agree: who says what. Left out: they agree. */
  disagreement: Type.Optional(
    Type.Array(Type.Object({ server: Type.String(), domain: Type.String(), says: Type.String() }))
  )
})
export type ProtectionView = Static<typeof protectionSchema>
export type ProtectionState = ProtectionView['state']

/** Answer to `POST /v1/protections`: under way, or why nothing left the host. */
export const protectAnswerSchema = Type.Union([
  Type.Object({ accepted: Type.Literal(true), protection: protectionSchema }),
  Type.Object({ accepted: Type.Literal(false), plan: planSchema })
])
export type ProtectAnswer = Static<typeof protectAnswerSchema>

export const protectionsSchema = Type.Object({ protections: Type.Array(protectionSchema) })

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
export type SessionView = Static<typeof sessionSchema>
export const sessionsSchema = Type.Object({ sessions: Type.Array(sessionSchema) })

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
  roundTripMilliseconds: Type.Optional(Type.Number()),
  roundTripVariationMilliseconds: Type.Optional(Type.Number()),
  timeouts: Type.Integer(),
  goodSecondsAgo: Type.Optional(Type.Number()),
  badSecondsAgo: Type.Optional(Type.Number())
})
export type PathView = Static<typeof pathSchema>

/** Answer to `GET /v1/paths`: the paths to all servers, and what is none. */
export const pathsSchema = Type.Object({
  paths: Type.Array(pathSchema),
  illegal: Type.Array(Type.Object({ server: Type.String(), domain: Type.String(), because: Type.String() }))
})
export type PathsView = Static<typeof pathsSchema>

/** A mitigation that a server carries out. */
const mitigationSchema = Type.Object({
  client: Type.String(),
  cuid: Type.String(),
  mitigationId: Type.Integer(),
  state: Type.String(),
  status: Type.String(),
  target: targetSchema,
  remainingLifetimeSeconds: Type.Number(),
  droppedPackets: Type.Optional(Type.String()),
  droppedBytes: Type.Optional(Type.String())
})
export type MitigationView = Static<typeof mitigationSchema>
export const mitigationsSchema = Type.Object({ mitigations: Type.Array(mitigationSchema) })

/** Where a server sends clients (RFC 9132 §4.6); body of `POST /v1/redirection`. */
export const redirectionSchema = Type.Object(
  {
    /** Domain name of the other DOTS server. */
    server: Type.String({ minLength: 1, maxLength: 253 }),
    addresses: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 16 }),
    ttlSeconds: Type.Integer({ minimum: 0, maximum: 4_294_967_295 }),
    /** Names of client domains; left out: everybody. */
    clients: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 10_000 }))
  },
  { additionalProperties: false }
)
export type RedirectionView = Static<typeof redirectionSchema>

/** Counters by name. */
export const countersSchema = Type.Object({ counters: Type.Record(Type.String(), Type.Number()) })

/** Which agent this is. */
export const agentSchema = Type.Object({
  role: Type.Union([Type.Literal('client'), Type.Literal('server')]),
  version: Type.String(),
  pid: Type.Integer(),
  uptimeSeconds: Type.Number(),
  /** The addresses that a server listens on. */
  listen: Type.Array(Type.String())
})
export type AgentView = Static<typeof agentSchema>

/** The body of every answer that is no success. `family` names the class of `@breakwater/core`. */
export const errorSchema = Type.Object({
  error: Type.Object({ family: Type.String(), code: Type.String(), message: Type.String() })
})
export type ErrorView = Static<typeof errorSchema>
