import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { toHex } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'

import { mutate } from './mutate.ts'
import type { FuzzTarget } from './target.ts'

export interface CampaignResult {
  readonly target: string
  readonly runs: number
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

/** Feeds a target mutated inputs for `seconds`, or until one breaks it. The seed replays the same inputs. */
export function campaign(target: FuzzTarget, seconds: number, seed: number): CampaignResult {
  const entropy = seededEntropy(seed)
  const corpus = target.seeds ?? []
  const end = performance.now() + seconds * 1000
  let runs = 0
  while (performance.now() < end)
    for (let i = 0; i < 100; i++) {
      const bytes = mutate(corpus, entropy)
      runs++
      try {
        target.run(bytes)
      } catch (error) {
        return { target: target.name, runs, failure: { hex: toHex(bytes), error } }
      }
    }
  return { target: target.name, runs }
}
