import { Type } from 'typebox'
import type { Static } from 'typebox'
import { either, list, optional, section, text, whole } from './option.ts'

const tlsServer = section(
  {
    address: text('ip-address', { description: 'Address of the recursive name server.' }),
    port: optional(whole(1, 65_535, { description: 'TCP port.', default: 853, source: 'RFC 7858 §3.1' })),
    name: text('dns-name', {
      description: 'The name that its certificate must carry; a server that cannot prove it is not asked.',
      source: 'RFC 8310 §8.1'
    })
  },
  { description: 'A name server that speaks DNS over TLS.' }
)

const overTls = section(
  {
    kind: Type.Literal('tls', { description: 'Ask by DNS over TLS, so that nobody on the way sees names.' }),
    servers: list(tlsServer, 1, { description: 'Name servers in order of preference.' }),
    trustAnchors: optional(
      text('trust-anchors-file', {
        description: 'PEM file with the authorities of the name servers; left out: the public ones.'
      })
    )
  },
  { description: 'Asks in private.' }
)

const plain = section(
  {
    kind: Type.Literal('plain', { description: 'Ask by plain DNS: for a name server on this host.' }),
    servers: optional(
      list(text('ip-address', { description: 'Address of a recursive name server, port 53.' }), 1, {
        description: 'Name servers in order of preference; left out: those of the system.'
      })
    )
  },
  { description: 'Asks in the clear.' }
)

/** What names in requests mean. */
export const resolver = either([overTls, plain], {
  description: 'Who is asked what names in requests mean; left out: requests by name are refused.',
  source: 'RFC 9132 §4.4.1.1, §11'
})

const plainOfDomain = section(
  {
    kind: Type.Literal('plain', {
      description: 'Ask by plain DNS, over UDP and, for what is long, over TCP.'
    }),
    servers: list(text('ip-address', { description: 'Address of a recursive name server, port 53.' }), 1, {
      description:
        'Name servers of this provider, in order of preference. Those of the system are never asked: they may be another provider’s.'
    })
  },
  { description: 'Asks in the clear.' }
)

/** Where servers of a domain are. */
export const resolverOfDomain = either([overTls, plainOfDomain], {
  description:
    'Who is asked where the servers of this provider are that are known by their name alone: those without `addresses`, and those that a server sends the client to. It is asked over the `interfaces` and from the `sources`, and by nothing else; one on this host (such as 127.0.0.1) over loopback.',
  source: 'RFC 9284 §5.1'
})

/** What the names of targets mean. */
export const resolverOfSite = either([overTls, plain], {
  description:
    'Who is asked what the names of targets mean; left out: the name servers of this host. One of a provider learns what the site protects over the others.',
  source: 'RFC 9132 §4.4.1.1, RFC 9284 §6'
})

/** What a checked configuration says of a resolver. */
export type ResolverConfig = Static<typeof resolver>
