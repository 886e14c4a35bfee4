import { execFile } from 'node:child_process'

/** The command `ip` of iproute2, with what must stand before it. */
export type IpCommand = readonly [string, ...string[]]

/** No listing of addresses, or of a few kinds of routes, is that long; and a hung command must not stay. */
const LIMITS = { timeout: 5000, maxBuffer: 16 * 1024 * 1024 } as const

/** What `ip` prints. Rejects when it is not there, fails, hangs or says too much. */
export function ipOutput([file, ...args]: IpCommand, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, [...args, ...words], LIMITS, (error, stdout) => {
      if (error === null) resolve(stdout)
      else reject(error)
    })
  })
}
