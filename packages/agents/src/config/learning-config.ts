import { LEARNT_ORIGINS } from '@breakwater/dots'
import { choice, flag, list, optional, section, text } from './option.ts'

/** Where agents look, unless their configuration says otherwise. */
export const DEFAULT_DROP_DIRECTORY = '/run/breakwater/provisioning'

/** What a domain may learn. */
export const learning = section(
  {
    interface: optional(
      text('interface', {
        description:
          'What comes by this interface is of this provider; left out: by any of `interfaces`. Where there are none, it learns only what names it.'
      })
    ),
    from: optional(
      list(choice(LEARNT_ORIGINS, { description: 'A way by which a provider tells.' }), 1, {
        description:
          'Whom it believes: DHCP, advertisements of routers, the protocol configuration options of a mobile network, and anything else that lies in the drop directory.',
        default: [...LEARNT_ORIGINS],
        source: 'RFC 7556 §2'
      })
    ),
    prefixes: optional(
      flag({
        description:
          'Learn its prefixes. `prefixes` of this and other providers, and of the site, win over what is learnt.',
        default: true,
        source: 'RFC 9284 §4'
      })
    ),
    resolvers: optional(
      flag({
        description: 'Learn its name servers; not where `resolver` is given.',
        default: true,
        source: 'RFC 9284 §5.1'
      })
    )
  },
  {
    description:
      'What this provider tells by itself is used, for as long as it holds. Left out: nothing is learnt. DOTS servers are never learnt this way.',
    source: 'RFC 7556 §2'
  }
)

/** Where agents look for what is learnt. */
export const provisioning = section(
  {
    dropDirectory: optional(
      text('path', {
        description:
          'Folder of the files that `dots provision` and other provisioners write, one for each attachment or lease. It and its files belong to root or the agent, and nobody else may write them.',
        default: DEFAULT_DROP_DIRECTORY
      })
    ),
    leaseFiles: optional(
      list(text('path', { description: 'A lease file of dhclient, for DHCPv4 or DHCPv6.' }), 0, {
        description: 'Lease files that are read, too, for where no hook can be installed.',
        default: []
      })
    ),
    advertisements: optional(
      flag({
        description:
          'Learn what the kernel heard in the advertisements of routers: prefixes, default routers, name servers and search domains.',
        default: true,
        source: 'RFC 4861 §6.3.4, RFC 8106 §5'
      })
    )
  },
  { description: 'Where domains with `learn` learn from.', default: {} }
)
