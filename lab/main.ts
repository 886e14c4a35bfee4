// npm run lab -- NAME [--backend netns|loopback] [--json] [--stay] | --list
// npm run demo -- [--once] [--json]   (the scenario two-providers, which stays up unless --once)
import { parseArgs } from 'node:util'

import { obstacleToNamespaces } from './backends/netns/namespace.ts'
import type { Backend, Scenario } from './scenario.ts'
import { scenario as twoProviders } from './scenarios/two-providers.ts'

const scenarios: readonly Scenario[] = [twoProviders]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean' },
    backend: { type: 'string' },
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
  if (obstacle === undefined) return 'netns'
  print(
    `No network namespaces here (${obstacle}): the agents run over loopback, the mitigator only says what it would`
  )
  print('do, and there is no traffic to measure. Run it as root on Linux to see a flood stop.')
  return 'loopback'
}

async function main(): Promise<number> {
  if (values.list === true) {
    for (const { name, summary } of scenarios) console.log(`${name.padEnd(20)} ${summary}`)
    return 0
  }
  const scenario = scenarios.find(({ name }) => name === positionals[0])
  if (scenario === undefined) {
    console.error(`name a scenario: ${scenarios.map(({ name }) => name).join(', ')}`)
    return 2
  }
  const backend = await chooseBackend(scenario)
  const stay = values.stay === true || (values.demo === true && values.once !== true)
  const result = await scenario.run({ backend, stay, stopped: interrupted(), print })
  if (values.json === true) console.log(JSON.stringify(result))
  return result.checks.every(({ ok }) => ok) ? 0 : 1
}

/** Resolves at the first Ctrl-C. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}

process.exitCode = await main()
