import { openSync, writeFileSync, writeSync, closeSync } from 'node:fs'
import { join } from 'node:path'

import { runOrThrow } from '../backends/netns/command.ts'

/** Ten years back: before any certificate of the lab is valid. */
const WRONG_BY_SECONDS = -10 * 365 * 86_400

/** A calendar for agents that is wrong until it is put right, while they run. */
export class WrongClock {
  readonly #file: string
  readonly #library: string

  private constructor(folder: string) {
    this.#file = join(folder, 'clock')
    this.#library = join(folder, 'wrong-clock.so')
  }

  /** Compiles what agents preload into `folder`. */
  static async make(folder: string): Promise<WrongClock> {
    const clock = new WrongClock(folder)
    const source = join(import.meta.dirname, 'wrong-clock.c')
    const compiler = process.env['CXX'] ?? 'g++'
    await runOrThrow([compiler, '-x', 'c', '-shared', '-fPIC', '-O1', source, '-o', clock.#library])
    writeFileSync(clock.#file, encoded(WRONG_BY_SECONDS))
    return clock
  }

  /** The command that runs another one by this calendar. */
  before(command: readonly [string, ...string[]]): readonly [string, ...string[]] {
    return ['env', `LD_PRELOAD=${this.#library}`, `BREAKWATER_CLOCK=${this.#file}`, ...command]
  }

  putRight(): void {
    // In place, for agents have mapped it.
    const descriptor = openSync(this.#file, 'r+')
    writeSync(descriptor, encoded(0))
    closeSync(descriptor)
  }
}

/** As C has a `long` of 64 bits. */
function encoded(seconds: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(seconds))
  return bytes
}
