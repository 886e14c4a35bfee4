import { Type } from 'typebox'
import type { Static } from 'typebox'

/** Prefixes of one command at most. */
const MAXIMUM_PREFIXES = 256

/** Domain names of one command at most; the same of URIs and aliases. */
const MAXIMUM_NAMES = 64

/** A port, or a range of ports. */
const portRangeSchema = Type.Object(
  {
    lower: Type.Integer({ minimum: 0, maximum: 65_535 }),
    upper: Type.Integer({ minimum: 0, maximum: 65_535 })
  },
  { additionalProperties: false }
)

/** Which servers are asked about prefixes of the site's own. */
export const policySchema = Type.Union([Type.Literal('all'), Type.Literal('serial'), Type.Literal('divide')])

/** How a command names a target. */
export const targetKeys = {
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
  /**
   * Which servers are asked about prefixes of the site's own: all (RFC 9284 §5.2), or, as a deviation, those of one domain
   * after another, or of one domain for each prefix. Left out: the agent's default.
   */
  policy: Type.Optional(policySchema),
  /** Ask for what belongs to the site even when another part of the target does not. */
  allowPartial: Type.Optional(Type.Boolean())
}

/** A target as an agent shows it. */
export const targetSchema = Type.Object({
  prefixes: Type.Array(Type.String()),
  ports: Type.Array(portRangeSchema),
  protocols: Type.Array(Type.Integer())
})
/** Prefixes with what narrows them. */
export type TargetView = Static<typeof targetSchema>

/** What a name means to the site. */
export const nameSchema = Type.Object({
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
/** A name with what is known of it. */
export type NameView = Static<typeof nameSchema>
