// npm run lab -- NAME [--backend netns|loopback|sim] [--runs N] [--seed N] [--json] [--stay] | --list
// npm run demo -- [--once] [--json]   (the scenario two-providers, which stays up unless --once)
import { parseArgs } from 'node:util'

import { obstacleToNamespaces } from './backends/netns/namespace.ts'
import { scenarios } from './catalogue.ts'
import type { Backend, Scenario } from './scenario.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean' },
    backend: { type: 'string' },
    runs: { type: 'string' },
    seed: { type: 'string' },
    json: { type: 'boolean' },
    demo: { type: 'boolean' },
    once: { type: 'boolean' },
    stay: { type: 'boolean' }
  }
})

/** With --json, standard output carries the one object; people's lines go to standard error. */
function print(line: string): void {
  if (values.json === true) console.error(line)
  else console.log(line)
}

/** The backend asked for, or the most real one that can be had here, saying why it is not the best. */
async function chooseBackend(scenario: Scenario): Promise<Backend> {
  const obstacle = await obstacleToNamespaces()
  if (values.backend !== undefined) {
    const found = scenario.backends.find((backend) => backend === values.backend)
    if (found === undefined) throw new Error(`${scenario.name} runs on ${scenario.backends.join(', ')}`)
    if (found === 'netns' && obstacle !== undefined)
      throw new Error(`no network namespaces here: ${obstacle}`)
    return found
  }
  if (obstacle === undefined && scenario.backends.includes('netns')) return 'netns'
  if (!scenario.backends.includes('loopback')) {
    print(`No network namespaces here (${obstacle}): the network and its time are simulated.`)
    return 'sim'
  }
  print(
    `No network namespaces here (${obstacle}): the agents run over loopback, the mitigator only says what it would`
  )
  print('do, and there is no traffic to measure. Run it as root on Linux to see a flood stop.')
  return 'loopback'
}

async function main(): Promise<number> {
  if (values.list === true) {
    if (scenarios.length === 0) return 1
    for (const { name, summary } of scenarios) console.log(`${name.padEnd(28)} ${summary}`)
    return 0
  }
  const scenario = scenarios.find(({ name }) => name === positionals[0])
  if (scenario === undefined) {
    console.error(`name a scenario: ${scenarios.map(({ name }) => name).join(', ')}`)
    return 2
  }
  const backend = await chooseBackend(scenario)
  const stay = values.stay === true || (values.demo === true && values.once !== true)
  const result = await scenario.run({
    backend,
    stay,
    stopped: interrupted(),
    print,
    ...countOf('runs'),
    ...countOf('seed')
  })
  if (values.json === true) console.log(JSON.stringify(result))
  return result.checks.every(({ ok }) => ok) ? 0 : 1
}

/** A whole number above 0 that was given as an option; nothing when it was not. */
function countOf<Name extends 'runs' | 'seed'>(name: Name): { readonly [Key in Name]?: number } {
  const text = values[name]
  if (text === undefined) return {}
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1)
    throw new Error(`--${name} ${text} is not a whole number above 0`)
  return { [name]: count } as { readonly [Key in Name]?: number }
}

/** Resolves at the first Ctrl-C. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}

process.exitCode = await main()
