import { list, optional, section, text, whole } from './option.ts'

/** Where clients are sent. */
export const redirection = section(
  {
    server: text('dns-name', { description: 'Name of the other DOTS server.' }),
    addresses: list(text('ip-address', { description: 'An address of the other DOTS server.' }), 0, {
      description: 'Its addresses, so that clients need not ask a name service that is under attack.',
      default: []
    }),
    ttlSeconds: optional(
      whole(0, 4_294_967_295, {
        description:
          'How long clients may use it; 0: for one request; 4294967295: until it sends them elsewhere.',
        default: 86_400
      })
    ),
    clients: optional(
      list(text('name', { description: 'Name of a client of `clients`.' }), 1, {
        description: 'Who is sent there; left out: everybody.'
      })
    )
  },
  {
    description: 'Send clients to another server; those under attack are left alone until that is over.',
    source: 'RFC 9132 §4.6'
  }
)
