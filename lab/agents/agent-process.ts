import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { end } from '../backends/netns/command.ts'

/** The `dots` command of this checkout, run by the Node that runs the lab. */
export const dots: readonly [string, string] = [
  process.execPath,
  join(import.meta.dirname, '../../packages/cli/bin/dots.mjs')
]

/** A running agent. */
export interface AgentProcess {
  readonly child: ChildProcess
  stop(): Promise<void>
}

/** Log lines kept for the case that the agent fails. */
const keptLines = 40
/** A whole minute: a machine of two processors may have ten things to do. */
const readyWithinSeconds = 60

/** Waits until a started agent says that it is ready; rejects with its last log lines when it ends or is too slow. */
export async function untilReady(name: string, child: ChildProcess): Promise<AgentProcess> {
  const lines: string[] = []
  const keep = (line: string): void => {
    lines.push(line)
    if (lines.length > keptLines) lines.shift()
  }
  const failure = (what: string): Error => new Error(`${name} ${what}:\n${lines.join('\n')}`)
  if (child.stdout === null || child.stderr === null) throw new Error(`${name} has no pipes`)
  createInterface({ input: child.stderr }).on('line', keep)
  const output = createInterface({ input: child.stdout })
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(failure('was not ready in time')), readyWithinSeconds * 1000)
    child.once('exit', (code) => reject(failure(`ended with code ${code}`)))
    child.once('error', reject)
    output.on('line', (line) => {
      keep(line)
      if (!line.includes('"ready":true')) return
      clearTimeout(late)
      resolve()
    })
  })
  return { child, stop: () => end(child) }
}
