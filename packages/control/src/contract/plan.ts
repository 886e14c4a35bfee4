import { Type } from 'typebox'
import type { Static } from 'typebox'
import { nameSchema, policySchema, targetKeys } from './target.ts'

/** Body of `POST /v1/plan`. */
export const planRequestSchema = Type.Object(
  {
    ...targetKeys,
    /** Ask no resolver; a target that has names is refused then. */
    offline: Type.Optional(Type.Boolean())
  },
  { additionalProperties: false }
)
/** What `dots plan` asks. */
export type PlanRequest = Static<typeof planRequestSchema>

const decisionSchema = Type.Object({ server: Type.String(), domain: Type.String(), text: Type.String() })

const consentSchema = Type.Object({
  name: Type.String(),
  server: Type.String(),
  of: Type.String(),
  givenBy: Type.String(),
  /** RFC 3339. */
  until: Type.String()
})

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
      /** A policy that deviates from RFC 9284 §5.2 decides who is asked. Left out: all are. */
      deviation: Type.Optional(Type.Object({ policy: policySchema, text: Type.String() })),
      notAsked: Type.Array(decisionSchema)
    })
  ),
  refusals: Type.Array(
    Type.Object({ prefixes: Type.Array(Type.String()), because: Type.String(), text: Type.String() })
  ),
  uncovered: Type.Array(
    Type.Object({ domain: Type.String(), prefixes: Type.Array(Type.String()), text: Type.String() })
  ),
  /** Internal prefixes that no provider translates, and names that nobody resolved yet. */
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
  /** What is preconfigured and overlaps with the target (RFC 9132 §4.4.1.1); without servers, nobody can be asked for it. */
  preconfigured: Type.Optional(
    Type.Array(
      Type.Object({
        domain: Type.String(),
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
/** What `dots plan` shows. */
export type PlanView = Static<typeof planSchema>
