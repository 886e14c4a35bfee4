import { Type } from 'typebox'
import type { Static } from 'typebox'
import { targetSchema } from './target.ts'

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
/** What `dots status` shows of a mitigation. */
export type MitigationView = Static<typeof mitigationSchema>

/** Answer to `GET /v1/mitigations`. */
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
/** What `dots redirect` asks. */
export type RedirectionView = Static<typeof redirectionSchema>
