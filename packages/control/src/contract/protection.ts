import { Type } from 'typebox'
import type { Static } from 'typebox'
import { planSchema } from './plan.ts'
import { nameSchema, policySchema, targetKeys, targetSchema } from './target.ts'

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
/** What `dots protect` asks. */
export type ProtectRequest = Static<typeof protectRequestSchema>

/** Body of `POST /v1/protections/ID/efficacy`: what is seen of the attack (RFC 9132 §4.4.3). */
export const efficacyRequestSchema = Type.Object(
  { attackStatus: Type.Union([Type.Literal('under-attack'), Type.Literal('mitigated')]) },
  { additionalProperties: false }
)
/** What `dots efficacy` says. */
export type EfficacyRequest = Static<typeof efficacyRequestSchema>

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
/** What one server was asked. */
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
  /** Which servers are asked about prefixes of the site's own. */
  policy: Type.Optional(policySchema),
  /** Something is missing that `require` does not allow to be missing. */
  alarm: Type.Optional(Type.Boolean()),
  /** Servers that were asked for the same and do not agree: who says what. Left out: they agree. */
  disagreement: Type.Optional(
    Type.Array(Type.Object({ server: Type.String(), domain: Type.String(), says: Type.String() }))
  )
})
/** What `dots status` and `dots protect` show of a protection. */
export type ProtectionView = Static<typeof protectionSchema>
/** How a protection stands as a whole. */
export type ProtectionState = ProtectionView['state']

/** Answer to `POST /v1/protections`: under way, or why nothing left the host. */
export const protectAnswerSchema = Type.Union([
  Type.Object({ accepted: Type.Literal(true), protection: protectionSchema }),
  Type.Object({ accepted: Type.Literal(false), plan: planSchema })
])
/** What comes of `dots protect`. */
export type ProtectAnswer = Static<typeof protectAnswerSchema>

/** Answer to `GET /v1/protections`. */
export const protectionsSchema = Type.Object({ protections: Type.Array(protectionSchema) })
