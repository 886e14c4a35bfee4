import { list, optional, section, text, whole } from './option.ts'

const portRange = section(
  {
    lower: whole(0, 65_535, { description: 'The port, or the first of a range.' }),
    upper: optional(whole(0, 65_535, { description: 'The last one of a range; left out: `lower`.' }))
  },
  { description: 'A port, or a range of ports.' }
)

/** What the operator calls a target by. */
export const alias = section(
  {
    name: text('name', { description: 'What `dots protect --alias` calls it. Unique.' }),
    prefixes: optional(
      list(text('ip-prefix', { description: 'A prefix of the site.' }), 0, {
        description: 'Prefixes that it stands for.',
        default: []
      })
    ),
    fqdns: optional(
      list(text('dns-name', { description: 'A domain name of the site.' }), 0, {
        description: 'Names that it stands for: whatever addresses they have.',
        default: []
      })
    ),
    uris: optional(
      list(text('target-uri', { description: 'A URI of the site.' }), 0, {
        description: 'URIs that it stands for, each with the port and the protocols of its scheme.',
        default: []
      })
    ),
    ports: optional(
      list(portRange, 0, {
        description: 'What narrows `prefixes` and `fqdns`; empty: the ports of the command, if any.',
        default: []
      })
    ),
    protocols: optional(
      list(whole(0, 255, { description: 'A protocol number of IANA: 6 for TCP, 17 for UDP.' }), 0, {
        description: 'The same for protocols.',
        default: []
      })
    )
  },
  { description: 'A name for a target.', source: 'RFC 8783 §6.1' }
)
