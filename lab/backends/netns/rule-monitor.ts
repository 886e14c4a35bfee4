import { createInterface } from 'node:readline'

import type { Namespace } from './namespace.ts'

/** Hears from the kernel when a rule comes into force, without asking again and again. */
export class RuleMonitor {
  readonly #seen: { readonly rule: string; readonly atMs: number }[] = []
  #wake: () => void = () => undefined

  /** Resolves when the kernel is being listened to. */
  static async start(namespace: Namespace): Promise<RuleMonitor> {
    const monitor = new RuleMonitor()
    const child = namespace.start(['nft', 'monitor', 'new', 'rules'])
    if (child.stdout === null) throw new Error('nft monitor has no output')
    createInterface({ input: child.stdout }).on('line', (rule) => {
      monitor.#seen.push({ rule, atMs: performance.now() })
      monitor.#wake()
    })
    await monitor.#untilListening(namespace)
    return monitor
  }

  /** When a rule that names `text` was added, as `performance.now()`; waits for one that is not before `sinceMs`. */
  async added(text: string, sinceMs: number, limitSeconds: number): Promise<number> {
    const end = performance.now() + limitSeconds * 1000
    for (;;) {
      const found = this.#seen.find(({ rule, atMs }) => atMs >= sinceMs && rule.includes(text))
      if (found !== undefined) return found.atMs
      const left = end - performance.now()
      if (left <= 0) throw new Error(`no rule for ${text} within ${limitSeconds} s`)
      await this.#change(left)
    }
  }

  /** A rule of a table made for the purpose must be heard of. */
  async #untilListening(namespace: Namespace): Promise<void> {
    for (let attempt = 0; this.#seen.length === 0; attempt++) {
      if (attempt > 100) throw new Error('nft monitor stays silent')
      await namespace.nft('table inet probe {\n chain probe {\n counter\n }\n}\ndelete table inet probe\n')
      await this.#change(50)
    }
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, withinMs)
      this.#wake = () => {
        clearTimeout(late)
        resolve()
      }
    })
  }
}
