import { InternalError, Seconds, parseIpAddress } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import type { Resolver } from '@breakwater/dots'
import { openPlainResolver, openTlsResolver } from '@breakwater/runtime'
import type { ConfigFiles } from './config/file-format.ts'
import type { ResolverConfig } from './config/resolver-config.ts'

/** A client asks again every 3 seconds; what is not known after two of its requests comes too late for it. */
const NAME_LIMIT = Seconds(8)

/** @param sources Local addresses that questions leave from, the first of each family; none: by the routes. */
export function openResolver(
  config: ResolverConfig,
  files: ConfigFiles,
  sources: readonly IpAddress[] = []
): Resolver {
  const common = { timeLimit: NAME_LIMIT, sources }
  if (config.kind === 'plain') {
    const servers = config.servers?.map((text) => ({ address: checkedAddress(text), port: 53 }))
    return openPlainResolver({ ...common, ...(servers === undefined ? {} : { servers }) })
  }
  const { trustAnchors } = config
  const trust = trustAnchors === undefined ? {} : { trustAnchors: files.text(trustAnchors) }
  const servers = config.servers.map(({ address, port = 853, name }) => ({
    address: { address: checkedAddress(address), port },
    name,
    ...trust
  }))
  return openTlsResolver({ ...common, servers })
}

/** The configuration was checked: a text that cannot be read here is a mistake of ours. */
function checkedAddress(text: string): IpAddress {
  const address = parseIpAddress(text)
  if (address !== undefined) return address
  throw new InternalError('CONFIG_UNCHECKED', `${JSON.stringify(text)} passed the check of the configuration`)
}
