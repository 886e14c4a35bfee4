import { choice, flag, list, optional, section, text } from './option.ts'

const memberDomains = list(text('name', { description: 'Name of a domain.' }), 1, {
  description: 'The providers of `domains` that it is about.'
})

const group = section(
  {
    name: text('name', { description: 'Name of the group, for people. Unique.' }),
    domains: memberDomains,
    prefixes: list(text('ip-prefix', { description: 'A prefix of theirs.' }), 1, {
      description: 'What they assigned together; the servers of all of them are asked to protect it.',
      source: 'RFC 9284 §5.1'
    })
  },
  { description: 'Prefixes that several providers assigned together.' }
)

const singleProvider = section(
  {
    name: text('name', { description: 'Name of the provider, for people. Unique.' }),
    domains: memberDomains,
    attachments: optional(
      choice(['one', 'all'], {
        description:
          'Whether it is asked over one attachment, the one that has a session, or over all. A server with the same name at several is asked once.',
        default: 'all',
        source: 'RFC 9284 §5.4'
      })
    ),
    serversCoordinate: optional(
      flag({
        description:
          "Whether its servers know of each other what they were asked, as Breakwater's do by `store.shared`. They are asked by one cuid and one row of mids then, so its domains need the same credentials.",
        default: false,
        source: 'RFC 9284 §5.4'
      })
    )
  },
  { description: 'Domains that are attachments of one provider, which therefore may hear of each other.' }
)

const consent = section(
  {
    name: text('name', { description: 'Name of the consent, for the log and `dots plan`. Unique.' }),
    of: text('name', { description: 'The domain whose prefixes it is about.' }),
    to: text('name', { description: 'The domain whose servers may hear of them: a provider or a service.' }),
    prefixes: list(text('ip-prefix', { description: 'A prefix that `of` assigned, or a part of one.' }), 1, {
      description: 'What they may hear of, and be asked to protect.'
    }),
    givenBy: text('note', { description: 'Who gave it.' }),
    date: text('date', { description: 'It holds from the beginning of this day in UTC.' }),
    until: text('date', { description: 'From the beginning of this day in UTC it is none.' })
  },
  { description: 'One explicit consent; every use of it is logged.' }
)

const filter = section(
  {
    name: text('name', { description: 'Name of the filter, for refusals. Unique.' }),
    prefixes: list(text('ip-prefix', { description: 'A prefix.' }), 1, {
      description: 'What this client reacts to.'
    })
  },
  { description: 'A prefix filter.' }
)

/** Keys of `site` that say what its domains have in common. */
export const sharingKeys = {
  internal: optional(
    list(text('ip-prefix', { description: 'A prefix.' }), 0, {
      description:
        'Prefixes that are used inside only. What of them no provider translates waits, and nobody hears of it.',
      default: [],
      source: 'RFC 9132 §3'
    })
  ),
  groups: optional(
    list(group, 0, { description: 'Prefixes that several providers assigned together.', default: [] })
  ),
  providers: optional(
    list(singleProvider, 0, {
      description: 'Providers with several attachments, each a domain of `domains`.',
      default: [],
      source: 'RFC 9284 §5.4'
    })
  ),
  consents: optional(
    list(consent, 0, {
      description:
        'Consents to tell the servers of one domain of the prefixes of another. Without one, nothing about a domain reaches the servers of another.',
      default: [],
      source: 'RFC 9284 §6'
    })
  ),
  filters: optional(
    list(filter, 0, {
      description:
        'Where several clients share the work: this one reacts to targets inside one of these prefixes and leaves the rest to others. Empty: it reacts to everything.',
      default: [],
      source: 'RFC 9284 §5.2'
    })
  ),
  allowSharedServerAddresses: optional(
    flag({
      description:
        'Let servers of two domains have one address although nothing binds their sessions to different interfaces: the operator sees to it that each request meets the right one. NOT RECOMMENDED by the RFC.',
      default: false,
      source: 'RFC 9284 §5.2'
    })
  )
}
