import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { fromHex, toHex } from '@breakwater/core'

const here = dirname(fileURLToPath(import.meta.url))

/** Most inputs that are kept for one target. */
export const MOST_KEPT = 60
const LONGEST_KEPT_BYTES = 300

/** Inputs that are kept: of bugs that are gone, and of what mutation finds only with luck. One in each line, as hex. */
export function keptInputs(target: string): Uint8Array[] {
  const file = fileOf(target)
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => fromHex(line))
}

/** Puts inputs behind those that are kept, as far as they are short and there is room. */
export function keep(target: string, inputs: readonly Uint8Array[]): number {
  const file = fileOf(target)
  const before = existsSync(file) ? readFileSync(file, 'utf8') : `# Inputs of the target ${target}, as hex.\n`
  const room = Math.max(0, MOST_KEPT - keptInputs(target).length)
  const short = inputs.filter(({ length }) => length <= LONGEST_KEPT_BYTES)
  const added = short.slice(0, room).map((bytes) => `${toHex(bytes)}\n`)
  if (added.length > 0) writeFileSync(file, before + added.join(''))
  return added.length
}

function fileOf(target: string): string {
  return join(here, 'corpus', `${target}.hex`)
}
