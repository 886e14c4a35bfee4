/** How many of `count` things are done per second of processor time of this process: waiting for a core does not count. */
export function perProcessorSecond(count: number, work: () => unknown): number {
  return (count / processorMs(work)) * 1000
}

/** Processor time of this process, all of its threads. */
export function processorMs(work: () => unknown): number {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}
