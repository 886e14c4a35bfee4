import { Type } from 'typebox'
import type { Static } from 'typebox'

/** A piece of a provider's configuration, with where it comes from. */
const factSchema = Type.Object({
  kind: Type.Union([
    Type.Literal('prefix'),
    Type.Literal('resolver'),
    Type.Literal('gateway'),
    Type.Literal('search-domain')
  ]),
  text: Type.String(),
  /** `configuration`, `dhcpv4`, `ra`, … */
  origin: Type.String(),
  interface: Type.Optional(Type.String()),
  source: Type.Optional(Type.String()),
  /** Left out: until it is withdrawn. */
  validSeconds: Type.Optional(Type.Number()),
  /** 0: deprecated. */
  preferredSeconds: Type.Optional(Type.Number()),
  /** `noted`: shown, and nothing depends on it. */
  state: Type.Union([Type.Literal('used'), Type.Literal('noted'), Type.Literal('refused')]),
  reason: Type.Optional(Type.String())
})
/** What `dots domains` shows of a fact. */
export type FactView = Static<typeof factSchema>

const domainSchema = Type.Object({
  domain: Type.String(),
  kind: Type.Union([Type.Literal('access'), Type.Literal('service')]),
  interfaces: Type.Array(Type.String()),
  /** Left out: it learns nothing. */
  learnsFrom: Type.Optional(Type.Array(Type.String())),
  facts: Type.Array(factSchema)
})
/** What `dots domains` shows of a domain. */
export type DomainView = Static<typeof domainSchema>

/** What the provisioning domains of a client are at the moment; answer of `GET /v1/domains`. */
export const domainsSchema = Type.Object({
  domains: Type.Array(domainSchema),
  /** What was learnt and is no domain's. */
  unclaimed: Type.Array(
    Type.Object({
      source: Type.String(),
      key: Type.String(),
      origin: Type.String(),
      interface: Type.Optional(Type.String()),
      reason: Type.String()
    })
  )
})
/** What `dots domains` shows. */
export type DomainsView = Static<typeof domainsSchema>
