// npm run bench -- [--json] [--only NAME[,NAME]]: one line per benchmark; with --json one JSON object per line.
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

import type { Benchmark, Measurement } from './benchmark.ts'

const { values } = parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string' } } })
const wanted = values.only?.split(',')

/** Every file beside this one that exports `benchmarks`. */
async function allBenchmarks(): Promise<readonly Benchmark[]> {
  const here = dirname(fileURLToPath(import.meta.url))
  const found: Benchmark[] = []
  for (const name of readdirSync(here).toSorted()) {
    if (!name.endsWith('.ts') || ['main.ts', 'benchmark.ts'].includes(name)) continue
    const loaded = (await import(pathToFileURL(join(here, name)).href)) as {
      benchmarks?: readonly Benchmark[]
    }
    found.push(...(loaded.benchmarks ?? []))
  }
  return found
}

function inWords(name: string, { value, unit, ceiling, ratio }: Measurement): string {
  const against = ceiling === undefined ? '' : `   ceiling ${round(ceiling)} ${unit}`
  const share = ratio === undefined ? '' : `   ratio ${ratio.toFixed(3)}`
  return `${name.padEnd(28)} ${String(round(value)).padStart(12)} ${unit.padEnd(6)}${against}${share}`
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}

const benchmarks = (await allBenchmarks()).filter(({ name }) => wanted?.includes(name) ?? true)
if (benchmarks.length === 0) {
  console.error(`no benchmark is named ${values.only}`)
  process.exit(2)
}
for (const benchmark of benchmarks) {
  const measured = await benchmark.run()
  if (measured === undefined) continue
  const { name } = benchmark
  console.log(values.json === true ? JSON.stringify({ name, ...measured }) : inWords(name, measured))
}
process.exit(0)
