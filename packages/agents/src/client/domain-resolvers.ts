import { isDeepStrictEqual } from 'node:util'
import { DomainName } from '@breakwater/dots'
import type { Resolver, Site } from '@breakwater/dots'
import type { ClientConfig } from '../config/client-config.ts'
import type { ConfigFiles } from '../config/file-format.ts'
import { openResolver } from '../open-resolver.ts'

interface OpenedResolver {
  readonly resolver: Resolver
  /** What it was opened by. */
  readonly from: unknown
}

/** The resolvers of the domains: names are asked for by the domain that they are of, and from its addresses (RFC 9284 §5.1). */
export class DomainResolvers {
  readonly #opened = new Map<DomainName, OpenedResolver>()

  /** Those that this configuration names: opened where they are new or changed; those that it names no more are closed. */
  async open(
    { domains }: ClientConfig,
    site: Site,
    files: ConfigFiles
  ): Promise<ReadonlyMap<DomainName, Resolver>> {
    const over = new Map(this.#opened)
    for (const { name, resolver } of domains) {
      if (resolver === undefined) continue
      const key = DomainName(name)
      const sources = site.domains.find((domain) => domain.name === name)?.sources ?? []
      const from = { resolver, sources }
      if (isDeepStrictEqual(over.get(key)?.from, from)) over.delete(key)
      else this.#opened.set(key, { resolver: openResolver(resolver, files, sources), from })
    }
    await this.#close(over)
    return new Map([...this.#opened].map(([name, { resolver }]) => [name, resolver]))
  }

  async close(): Promise<void> {
    await this.#close(new Map(this.#opened))
  }

  async #close(over: ReadonlyMap<DomainName, OpenedResolver>): Promise<void> {
    for (const [name, opened] of over) {
      if (this.#opened.get(name) === opened) this.#opened.delete(name)
      await opened.resolver.close()
    }
  }
}
