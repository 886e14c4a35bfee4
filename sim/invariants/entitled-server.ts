import { formatIpPrefix } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import { isAboutMitigation } from '../world/ledger.ts'
import type { MakeInvariant } from './invariant.ts'

/**
 * No server learns of a target that is not its own (RFC 9284 §5.1, §5.2): it hears only of what the oracle says that it may
 * hear of, and of no cuid but that for its domain. What was legal when it was first sent may be repeated.
 */
export const entitledServer: MakeInvariant = ({ layout }) => {
  const firstSent = new Map<string, Instant>()
  return {
    name: 'entitled-server',
    traffic({ when, direction, site, provider, seen, entry }, report) {
      if (when !== 'sent' || direction !== 'to-server' || seen === undefined || !isAboutMitigation(seen))
        return
      const client = layout.clients[site]
      const server = layout.servers[provider ?? -1]
      if (client === undefined || server === undefined) return
      const key = `${site} ${server.number} ${seen.token}`
      const at = firstSent.get(key) ?? entry.at
      firstSent.set(key, at)
      for (const asked of seen.target?.prefixes ?? [])
        if (!client.oracle.mayHear(server.number, asked, at))
          report(`site ${site} asked server ${provider} about ${formatIpPrefix(asked)}, which is not its own`)
      const domain = client.domains.find(({ number }) => number === server.home)
      if (seen.cuid !== domain?.cuid) report(`site ${site} showed server ${provider} the cuid ${seen.cuid}`)
    }
  }
}
