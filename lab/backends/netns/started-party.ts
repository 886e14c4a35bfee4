import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'

import type { IcmpPlan, IcmpTold } from './icmp-party.ts'
import type { Namespace } from './namespace.ts'

/** Seconds that anything may take here. */
const PATIENCE_SECONDS = 20

/** One end of a DTLS session, in a namespace: see `icmp-party.ts`. */
export class Party {
  readonly told: IcmpTold[] = []
  readonly #child: ChildProcess
  #complaints = ''

  constructor(namespace: Namespace, plan: IcmpPlan) {
    const script = join(import.meta.dirname, 'icmp-party.ts')
    this.#child = namespace.start([process.execPath, script, JSON.stringify(plan)], 'pipe')
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#complaints += text))
    if (this.#child.stdout !== null)
      createInterface({ input: this.#child.stdout }).on('line', (line) =>
        this.told.push(JSON.parse(line) as IcmpTold)
      )
  }

  send(bytes: number): void {
    this.#child.stdin?.write(`${bytes}\n`)
  }

  async until<Kind extends IcmpTold['kind']>(kind: Kind, after = 0): Promise<IcmpTold & { kind: Kind }> {
    const isIt = (told: IcmpTold): told is IcmpTold & { kind: Kind } => told.kind === kind
    for (let left = PATIENCE_SECONDS * 20; left > 0; left--) {
      const found = this.told.slice(after).find(isIt)
      if (found !== undefined) return found
      await pause(50)
    }
    throw new Error(`no "${kind}": ${JSON.stringify(this.told)} ${this.#complaints}`)
  }
}
