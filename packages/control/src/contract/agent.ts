import { Type } from 'typebox'
import type { Static } from 'typebox'

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
/** Which agent answers. */
export type AgentView = Static<typeof agentSchema>

/** The body of every answer that is no success. `family` names the class of `@breakwater/core`. */
export const errorSchema = Type.Object({
  error: Type.Object({ family: Type.String(), code: Type.String(), message: Type.String() })
})
/** Why a command came to nothing. */
export type ErrorView = Static<typeof errorSchema>
