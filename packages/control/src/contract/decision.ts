import { Type } from 'typebox'
import type { Static } from 'typebox'

/** One decision of a client. */
const decisionSchema = Type.Object({
  /** RFC 3339. */
  at: Type.String(),
  /** What it was about. */
  kind: Type.Union([
    Type.Literal('protection'),
    Type.Literal('server'),
    Type.Literal('path'),
    Type.Literal('name')
  ]),
  subject: Type.String(),
  decision: Type.String(),
  because: Type.String(),
  /** What it was decided by, by names. */
  inputs: Type.Record(Type.String(), Type.String())
})
/** What `dots why` shows of a decision. */
export type DecisionView = Static<typeof decisionSchema>

/** Answer to `GET /v1/decisions/NAME`: the last about one protection, server, path or name, the oldest first. */
export const decisionsSchema = Type.Object({ decisions: Type.Array(decisionSchema) })
/** What `dots why` shows. */
export type DecisionsView = Static<typeof decisionsSchema>
