import { isDeepStrictEqual } from 'node:util'
import { UnavailableError } from '@breakwater/core'
import type { NameAnswer, Resolver } from '@breakwater/dots'
import type { ConfigFiles } from '../config/file-format.ts'
import type { ResolverConfig } from '../config/resolver-config.ts'
import { openResolver } from '../open-resolver.ts'

/** The name servers of this host. */
const OF_HOST: ResolverConfig = { kind: 'plain' }

/**
 * Who is asked what the names of targets mean: the name servers of the site, by the routes of the host. It stays the same
 * object when the configuration is another one.
 */
export class SiteResolver implements Resolver {
  readonly name = 'site'
  #opened: { readonly config: ResolverConfig; readonly resolver: Resolver } | undefined

  /** Opens what the configuration names, if it is not open already. */
  open(config: ResolverConfig = OF_HOST, files: ConfigFiles): void {
    if (isDeepStrictEqual(this.#opened?.config, config)) return
    const before = this.#opened
    this.#opened = { config, resolver: openResolver(config, files) }
    // What it was asked is asked again, of the new one.
    void before?.resolver.close()
  }

  async resolve(name: string): Promise<NameAnswer> {
    if (this.#opened === undefined) throw new UnavailableError('DNS_FAILED', 'the resolver was closed', true)
    return this.#opened.resolver.resolve(name)
  }

  async close(): Promise<void> {
    await this.#opened?.resolver.close()
    this.#opened = undefined
  }
}
