import { readFileSync, readdirSync } from 'node:fs'

/** Seconds of processor time that all living threads of a process have used; the kernel counts it in nanoseconds. */
export function processorSeconds(pid: number | string): number {
  let total = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [running = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
    total += Number(running) / 1e9
  }
  return total
}
