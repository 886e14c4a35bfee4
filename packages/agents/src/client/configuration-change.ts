import { isDeepStrictEqual } from 'node:util'
import type { ClientConfig } from '../config/client-config.ts'

/** How the configuration of a running client differs from the one that it goes by. */
export interface ConfigurationChange {
  /** Names of domains. */
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
  /** Options of `site` that differ, and `addressSelection`. */
  readonly site: readonly string[]
  /** Options that a client reads at its start only. */
  readonly needRestart: readonly string[]
}

/** What a running client takes over. */
const LIVE: ReadonlySet<string> = new Set(['domains', 'site', 'addressSelection'])

/** Compares what is written in two configurations; what stands in the files that they name is not looked at. */
export function configurationChange(before: ClientConfig, after: ClientConfig): ConfigurationChange {
  const [former, next] = [byName(before), byName(after)]
  const names = [...next.keys()]
  return {
    added: names.filter((name) => !former.has(name)),
    removed: [...former.keys()].filter((name) => !next.has(name)),
    changed: names.filter((name) => former.has(name) && !isDeepStrictEqual(former.get(name), next.get(name))),
    site: [
      ...differing(before.site ?? {}, after.site ?? {}),
      ...differing(before, after).filter((key) => key === 'addressSelection')
    ],
    needRestart: differing(before, after).filter((key) => !LIVE.has(key))
  }
}

function byName({ domains }: ClientConfig): ReadonlyMap<string, unknown> {
  return new Map(domains.map((domain) => [domain.name, domain]))
}

function differing(before: object, after: object): string[] {
  const [former, next] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
  const keys = [...new Set([...former.keys(), ...next.keys()])]
  return keys.filter((key) => !isDeepStrictEqual(former.get(key), next.get(key)))
}
