import { formatIpAddress } from '@breakwater/core'
import type { LegalPath } from '../../multihoming/legal-path.ts'
import { pathKey } from '../connection/outcome-memory.ts'

/** What a path is made of, each part in words: paths that have a part in common share what is known of it. */
export const PATH_ELEMENTS = ['destination', 'via', 'source'] as const

export type PathElement = (typeof PATH_ELEMENTS)[number]

/**
 * A way that packets take, whoever sends them: a DOTS session, a query of a name. To say so is not to be allowed to use it:
 * only `legalPaths` makes what a session may be opened by.
 */
export interface UsedPath {
  /** Names the whole of it: see `pathKey`. */
  readonly name: string
  readonly destination: string
  /** The interface; undefined: the kernel decides. */
  readonly via: string | undefined
  readonly source: string
}

/** Paths last as long as their site, and are asked about over and over. */
const known = new WeakMap<LegalPath, UsedPath>()

/** A legal path, as far as others may learn from it. */
export function usedPath(path: LegalPath): UsedPath {
  const used = known.get(path) ?? describe(path)
  known.set(path, used)
  return used
}

function describe(path: LegalPath): UsedPath {
  return {
    name: pathKey(path),
    destination: formatIpAddress(path.remote.address),
    via: path.interface,
    source: formatIpAddress(path.source)
  }
}

/** `via wan-a` */
export function elementName(element: PathElement, value: string): string {
  const words = { destination: 'to', via: 'via', source: 'from' } as const
  return `${words[element]} ${value}`
}

/** The names of all elements of a path that are known. The interface stands for a next hop that nobody knows. */
export function elementsOf(path: UsedPath, nextHop?: string): readonly string[] {
  const elements = { ...path, via: nextHop ?? path.via }
  return PATH_ELEMENTS.flatMap((element) => {
    const value = elements[element]
    return value === undefined ? [] : [elementName(element, value)]
  })
}
