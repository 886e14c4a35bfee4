// Holds the layer rules of ARCHITECTURE.md: a package imports only what stands below it, and inside `dots` the topics
// meet only in `domain` and are composed only in `client`, `server` and `gateway`.
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Package → the packages of ours that it may import. What is not listed is a violation. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  coap: ['core'],
  model: ['core'],
  dots: ['core', 'coap', 'model'],
  dtls: ['core'],
  runtime: ['core', 'dots'],
  store: ['core', 'dots'],
  mitigators: ['core', 'dots'],
  control: ['core'],
  agents: ['core', 'coap', 'model', 'dots', 'dtls', 'runtime', 'store', 'mitigators', 'control'],
  cli: ['core', 'control', 'agents'],
  testing: ['core', 'coap', 'dots']
}

/** Folder of `dots` → the folders of `dots` that it may import. */
const allowedInDots: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  signal: ['domain'],
  multihoming: ['domain'],
  client: ['domain', 'signal', 'multihoming'],
  server: ['domain', 'signal'],
  gateway: ['domain', 'signal', 'multihoming', 'client', 'server']
}

const importPattern =
  /^\s*(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm

function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? '')
}

function sourcesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
}

/** Most packages have one door; a second one is for a process that must start fast and needs little. */
function doorsOf(name: string): readonly string[] {
  const { exports } = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8')) as {
    readonly exports: object
  }
  return Object.keys(exports)
}

/** What is wrong with one import, or undefined. */
function packageFault(owner: string, specifier: string): string | undefined {
  if (!specifier.startsWith('@breakwater/')) return undefined
  const [, name = '', ...deep] = specifier.split('/')
  if (deep.length > 0 && !doorsOf(name).includes(`./${deep.join('/')}`))
    return `imports past the public doors of ${name}`
  if (name === owner) return 'imports itself by its package name'
  return allowed[owner]?.includes(name) === true ? undefined : `${owner} may not import ${name}`
}

function dotsFault(file: string, specifier: string): string | undefined {
  const here = relative('packages/dots/src', file)
  if (here.startsWith('..') || !specifier.startsWith('.')) return undefined
  const topic = here.split('/')[0] ?? ''
  const there = relative('packages/dots/src', join(file, '..', specifier)).split('/')[0] ?? ''
  // What lies on top is a door.
  if (topic.endsWith('.ts') || topic === there) return undefined
  return allowedInDots[topic]?.includes(there) === true
    ? undefined
    : `dots/${topic} may not import dots/${there}`
}

const faults: string[] = []
for (const owner of readdirSync('packages')) {
  if (allowed[owner] === undefined) faults.push(`packages/${owner}: has no row in tools/layers.ts`)
  for (const file of sourcesUnder(`packages/${owner}/src`))
    for (const specifier of importsOf(file)) {
      const fault = packageFault(owner, specifier) ?? dotsFault(file, specifier)
      if (fault !== undefined) faults.push(`${file}: ${fault} (${specifier})`)
    }
}
for (const fault of faults) console.error(fault)
process.exit(faults.length === 0 ? 0 : 1)
