import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { ProviderPlan } from '../../multihomed/topology.ts'
import type { HeardQuestion, ResolverWords } from '../../multihomed/world.ts'
import { end } from './command.ts'
import type { Namespace } from './namespace.ts'

/** Short: what it says next is soon asked for. */
const TTL_SECONDS = 1

/** The resolver of a provider: a dnsmasq that knows the provider's own DOTS servers, and writes down who asks for what. */
export class NameService {
  readonly #namespace: Namespace
  readonly #provider: ProviderPlan
  readonly #address: string
  readonly #log: string
  #process: ChildProcess | undefined

  constructor(namespace: Namespace, provider: ProviderPlan, address: string, folder: string) {
    this.#namespace = namespace
    this.#provider = provider
    this.#address = address
    this.#log = join(folder, `${provider.name}-questions.log`)
  }

  /** From now on it says this. */
  async say(words: ResolverWords): Promise<void> {
    if (this.#process !== undefined) await end(this.#process)
    this.#process = words === 'silence' ? undefined : this.#namespace.start(this.#command(words), 'ignore')
  }

  /** Every question that it heard. */
  questions(): readonly HeardQuestion[] {
    if (!existsSync(this.#log)) return []
    const found = readFileSync(this.#log, 'utf8').matchAll(/query\[A+\] (\S+) from (\S+)/g)
    return [...found].map(([, name = '', source = '']) => ({ provider: this.#provider.name, name, source }))
  }

  #command(words: Exclude<ResolverWords, 'silence'>): string[] {
    const records = Object.entries(this.#provider.servers).map(([name, address]) => {
      return `--host-record=${name},${words === 'truth' ? address : words.lie},${TTL_SECONDS}`
    })
    return [
      'dnsmasq',
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--pid-file',
      '--user=',
      '--no-resolv',
      '--no-hosts',
      `--listen-address=${this.#address}`,
      '--bind-interfaces',
      '--log-queries',
      `--log-facility=${this.#log}`,
      '--local=/example/',
      ...records
    ]
  }
}
