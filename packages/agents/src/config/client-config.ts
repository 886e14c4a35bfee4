import { DEFAULT_SESSION_PARAMETERS } from '@breakwater/dots'
import type { Static } from 'typebox'
import { addressSelection } from './address-selection-config.ts'
import { alias } from './alias-config.ts'
import { provisioningDomain } from './domain-config.ts'
import { provisioning } from './learning-config.ts'
import { choice, flag, list, optional, section, text, whole } from './option.ts'
import { ownPrefix } from './own-prefix-config.ts'
import { controlSection, logSection } from './process-config.ts'
import { resolverOfSite } from './resolver-config.ts'
import { sessionParameters } from './session-config.ts'
import { happyEyeballs, pathPool, reconnection } from './session-paths-config.ts'
import { sharingKeys } from './sharing-config.ts'

/** The configuration of `dots client`. */
export const clientConfigSchema = section(
  {
    site: optional(
      section(
        {
          providerIndependent: optional(
            list(ownPrefix, 0, {
              description: 'Prefixes of the site itself. The servers of all their providers are asked.',
              default: [],
              source: 'RFC 9284 §5.2'
            })
          ),
          resolver: optional(resolverOfSite),
          aliases: optional(
            list(alias, 0, {
              description:
                'What targets are called by. Servers do not know these names: each is asked for its own part of what they stand for.',
              default: [],
              source: 'RFC 9284 §6'
            })
          ),
          ...sharingKeys
        },
        { description: 'What belongs to the site and to no provider, or to several.', default: {} }
      )
    ),
    domains: list(provisioningDomain, 1, { description: 'The upstream providers.' }),
    provisioning: optional(provisioning),
    store: optional(
      section(
        { path: text('path', { description: 'SQLite file; made when it does not exist.' }) },
        {
          description:
            'Where protections, requests and what was learnt of the paths are kept: a client that starts again goes on with them. Left out: it forgets them.'
        }
      )
    ),
    control: optional(controlSection('/run/breakwater/client.sock')),
    log: optional(logSection),
    session: optional(
      sessionParameters('What is asked of the servers for every session.', DEFAULT_SESSION_PARAMETERS)
    ),
    idleSession: optional(
      sessionParameters(
        'The same while no mitigation is active; what is left out is as in `session`. An interval of 240 seconds keeps a translator on the way from forgetting, and little else.',
        {}
      )
    ),
    serverDefaults: optional(
      flag({
        description:
          'Ask the servers to go back to their own values for every session, instead of `session` and `idleSession`, which are left out then.',
        default: false,
        source: 'RFC 9132 §4.5.4'
      })
    ),
    addressSelection: optional(addressSelection),
    reconnection: optional(reconnection),
    happyEyeballs: optional(happyEyeballs),
    pathPool: optional(pathPool),
    attackHandshakeRetransmissionMilliseconds: optional(
      whole(400, 1000, {
        description:
          'During an attack, how long a flight of a DTLS handshake waits for its answer before it is sent again. Left out: 1000, as RFC 6347 §4.2.4.1 wants it. Less is a deviation for links that lose much.',
        source: 'RFC 9147 §5.8.2'
      })
    ),
    defaults: optional(
      section(
        {
          lifetimeSeconds: optional(
            whole(60, 2_147_483_647, {
              description: 'Lifetime that is asked for when a protection names none.',
              default: 3600,
              source: 'RFC 9132 §4.4.1'
            })
          ),
          require: optional(
            choice(['all', 'any'], {
              description:
                'When a protection that lacks something is an alarm: any server is missing, or all of a part.',
              default: 'all'
            })
          ),
          policy: optional(
            choice(['all', 'serial', 'divide'], {
              description:
                'Which servers are asked about prefixes of the site itself: every one at the same time, as the RFC wants it; those of one provider after another, the next when one refuses, has no session or gives up; or those of one provider for each prefix. The last two are deviations: what comes in through the others is not mitigated. Every use is logged.',
              default: 'all',
              source: 'RFC 9284 §5.2'
            })
          )
        },
        { description: 'What holds where a command says nothing else.', default: {} }
      )
    )
  },
  {
    description: 'Configuration of a DOTS client at a site with one or more providers.',
    title: 'dots client'
  }
)

/** What a checked client configuration looks like. */
export type ClientConfig = Static<typeof clientConfigSchema>
