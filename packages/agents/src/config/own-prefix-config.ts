import { list, optional, section, text } from './option.ts'

/** What belongs to the site itself, whoever announces it. */
export const ownPrefix = section(
  {
    prefix: text('ip-prefix', { description: 'A provider-independent prefix.' }),
    domains: optional(
      list(text('name', { description: 'Name of a domain.' }), 1, {
        description: 'The providers that announce it; left out: all.'
      })
    )
  },
  { description: 'A prefix of the site itself.' }
)
