import type { Stopwatch } from './campaign.ts'

/** Of this thread. */
export const stopwatch: Stopwatch = {
  elapsed: () => performance.now(),
  processor: () => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
}
