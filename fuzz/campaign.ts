import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { toHex } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'

import { keptInputs } from './corpus.ts'
import { mutate } from './mutate.ts'
import type { FuzzTarget } from './target.ts'

export interface CampaignResult {
  readonly target: string
  readonly runs: number
  /** Inputs that made something new happen. */
  readonly found: readonly Uint8Array[]
  /** The input that broke the target, and how; undefined when none did. */
  readonly failure?: { readonly hex: string; readonly error: unknown }
}

/** Every target that a file of this folder exports as `target` or `targets`. */
export async function allTargets(): Promise<readonly FuzzTarget[]> {
  const here = dirname(fileURLToPath(import.meta.url))
  const found: FuzzTarget[] = []
  for (const name of readdirSync(here).toSorted()) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts') || name === 'main.ts') continue
    const loaded = (await import(pathToFileURL(join(here, name)).href)) as {
      target?: FuzzTarget
      targets?: readonly FuzzTarget[]
    }
    if (loaded.target !== undefined) found.push(loaded.target)
    found.push(...(loaded.targets ?? []))
  }
  return found
}

/** Inputs that a campaign mutates at one time: the kept ones, and the latest that made something new happen. */
const MOST_MUTATED = 300

/**
 * Feeds a target mutated inputs for `seconds`, or until one breaks it. The seed replays the same inputs, as far as the
 * corpus is the same.
 */
export function campaign(target: FuzzTarget, seconds: number, seed: number): CampaignResult {
  const entropy = seededEntropy(seed)
  const corpus = [...(target.seeds ?? []), ...keptInputs(target.name)]
  const kept = corpus.length
  const seen = new Set<string>()
  const found: Uint8Array[] = []
  const end = performance.now() + seconds * 1000
  let runs = 0
  // First all that is kept, as it is.
  while (runs < kept || performance.now() < end) {
    const bytes = runs < kept ? (corpus[runs] ?? new Uint8Array(0)) : mutate(corpus, entropy)
    runs++
    try {
      const happened = target.run(bytes)
      if (happened === undefined || seen.has(happened)) continue
      seen.add(happened)
      if (runs <= kept || corpus.length >= MOST_MUTATED) continue
      found.push(bytes)
      corpus.push(bytes)
    } catch (error) {
      return { target: target.name, runs, found, failure: { hex: toHex(bytes), error } }
    }
  }
  return { target: target.name, runs, found }
}
