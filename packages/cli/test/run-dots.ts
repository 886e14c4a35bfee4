import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../bin/dots.mjs', import.meta.url))

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `dots` as a child process to its end. `node`: another Node than that of the tests. */
export function dots(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  node: string = process.execPath
): Promise<Finished> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...environment }
    execFile(node, [launcher, ...args], { env, timeout: 30_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, stdout, stderr })
    })
  })
}
