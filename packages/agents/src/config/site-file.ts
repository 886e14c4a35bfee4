import {
  DEFAULT_DELEGATING_BITS,
  DEFAULT_EXIT_OWNERSHIP,
  DEFAULT_PORT,
  DEFAULT_PREFIX_LIFETIME
} from '@breakwater/dots'
import type { Static } from 'typebox'
import { list, optional, section, text, whole } from './option.ts'
import { ownPrefix } from './own-prefix-config.ts'

const server = section(
  {
    name: text('dns-name', { description: 'The name that the certificate of the server must carry.' }),
    addresses: list(text('ip-address', { description: 'An address of the server.' }), 1, {
      description: 'Addresses of the server.'
    }),
    port: optional(
      whole(1, 65_535, { description: 'Port for UDP and TCP.', default: DEFAULT_PORT, source: 'RFC 9132 §3' })
    ),
    tcpPort: optional(whole(1, 65_535, { description: 'Port for TCP, where it is not `port`.' }))
  },
  { description: 'A DOTS server of this provider.' }
)

const provider = section(
  {
    name: text('name', { description: 'Name of the provider. Unique.' }),
    prefixes: optional(
      list(text('ip-prefix', { description: 'A prefix that the provider assigned or delegated.' }), 0, {
        description: 'Links are numbered from the IPv6 ones of /64 or shorter.',
        default: []
      })
    ),
    preferredLifetimeSeconds: optional(
      whole(0, 4_294_967_295, {
        description: 'For how long addresses of the prefixes are chosen for new things.',
        default: DEFAULT_PREFIX_LIFETIME.preferredSeconds,
        source: 'RFC 4861 §6.2.1'
      })
    ),
    validLifetimeSeconds: optional(
      whole(0, 4_294_967_295, {
        description: 'For how long they may be used at all.',
        default: DEFAULT_PREFIX_LIFETIME.validSeconds,
        source: 'RFC 4861 §6.2.1'
      })
    ),
    servers: optional(list(server, 0, { description: 'Its DOTS servers.', default: [] }))
  },
  { description: 'One provider: its prefixes and DOTS servers.' }
)

const gateways = optional(
  list(text('ip-address', { description: 'The next router; one of each family at most.' }), 0, {
    description: 'Where packets go next; empty: to the interface itself, as with PPP.',
    default: []
  })
)

const exit = section(
  {
    domain: text('name', { description: 'The provider.' }),
    interface: text('interface', { description: 'The interface towards it.' }),
    gateways,
    sources: optional(
      list(text('ip-address', { description: 'An own address; one of each family at most.' }), 0, {
        description:
          'What DOTS messages of internal clients leave from, where their own source is not the provider’s.',
        default: [],
        source: 'RFC 9284 §5.2'
      })
    )
  },
  { description: 'A link of this router to a provider.' }
)

const way = section(
  {
    domain: text('name', { description: 'The provider.' }),
    interface: text('interface', { description: 'The interface towards the router with the exit.' }),
    gateways
  },
  { description: 'The way to a provider whose exit is at another router.' }
)

const router = section(
  {
    name: text('name', { description: 'Name of the router, or of a host that chooses its exits. Unique.' }),
    exits: optional(
      list(exit, 0, {
        description: 'Its links to providers. The first router with an exit to a provider gets its prefixes.',
        default: []
      })
    ),
    ways: optional(list(way, 0, { description: 'How it reaches the exits of other routers.', default: [] })),
    inside: optional(
      list(text('interface', { description: 'An interface towards hosts and other routers.' }), 0, {
        description: 'Where packets of others come in; `dots site exits --check` looks at theirs, too.',
        default: []
      })
    ),
    requestsFrom: optional(
      list(text('name', { description: 'Name of a router.' }), 0, {
        description: 'Routers that it asks for prefixes. The order decides between equals.',
        default: [],
        source: 'RFC 8415 §12.2'
      })
    ),
    links: optional(
      list(text('name', { description: 'Name of a link.' }), 0, {
        description: 'Links that it numbers. New ones go to the end: the order gives the numbers.',
        default: []
      })
    )
  },
  { description: 'A router of the site.' }
)

const host = section(
  {
    name: text('name', { description: 'Name of the host.' }),
    interfaceId: text('ip-address', { description: 'The last 64 bits of its addresses, such as `::10`.' })
  },
  { description: 'A host with fixed addresses.' }
)

const link = section(
  {
    name: text('name', { description: 'Name of the link. Unique.' }),
    hosts: optional(list(host, 0, { description: 'Hosts whose addresses are planned.', default: [] }))
  },
  { description: 'A link of the site, with a /64 of every provider.' }
)

const ownership = section(
  {
    table: optional(
      whole(256, 4_294_900_000, {
        description: 'The 255 routing tables after this number are ours: one for each provider.',
        default: DEFAULT_EXIT_OWNERSHIP.table
      })
    ),
    rulePriority: optional(
      whole(1, 32_000, {
        description: 'Priority of the first rule; this and the two after it are used.',
        default: DEFAULT_EXIT_OWNERSHIP.rulePriority
      })
    ),
    protocol: optional(
      whole(5, 255, {
        description: 'Protocol number that our rules and routes carry; others are not touched.',
        default: DEFAULT_EXIT_OWNERSHIP.protocol
      })
    ),
    mark: optional(
      whole(1, 4_294_900_000, {
        description:
          'The 255 packet marks after this number tell which provider’s server a DOTS message goes to.',
        default: DEFAULT_EXIT_OWNERSHIP.mark
      })
    ),
    nftTable: optional(
      text('name', {
        description: 'Name of our nftables table (`inet`).',
        default: DEFAULT_EXIT_OWNERSHIP.nftTable
      })
    )
  },
  { description: 'What in the kernel is ours, for `dots site exits --apply` and `--remove`.', default: {} }
)

/** The file of `dots site plan` and `dots site exits`. */
export const siteFileSchema = section(
  {
    delegatingBits: optional(
      whole(1, 16, {
        description: 'Bits of a subnet id that tell routers apart: a router serves 2^n - 1 others.',
        default: DEFAULT_DELEGATING_BITS
      })
    ),
    site: optional(
      section(
        {
          providerIndependent: optional(
            list(ownPrefix, 0, { description: 'Prefixes of the site itself.', default: [] })
          )
        },
        { description: 'What belongs to the site and to no provider.', default: {} }
      )
    ),
    domains: list(provider, 1, { description: 'The upstream providers.' }),
    routers: list(router, 1, {
      description: 'The routers. New ones go to the end: the order gives the numbers.'
    }),
    links: optional(list(link, 0, { description: 'The links that routers number.', default: [] })),
    exitRules: optional(ownership)
  },
  { description: 'A multihomed site: its providers, routers and links.', title: 'dots site' }
)

/** What a checked site file looks like. */
export type SiteFile = Static<typeof siteFileSchema>
