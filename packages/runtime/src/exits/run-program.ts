import { spawn } from 'node:child_process'
import { UnavailableError } from '@breakwater/core'

const TIMEOUT_MS = 10_000

/** What a program says at its end; a code of its own, or -1 when it was not to be started or did not end by itself. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Like `run`, but throws an UnavailableError (`EXITS_KERNEL_REFUSED`) at any code but 0. */
export async function must(program: 'ip' | 'nft', words: readonly string[], input = ''): Promise<string> {
  const outcome = await run(program, words, input)
  if (outcome.code === 0) return outcome.stdout
  throw refusalOf(program, outcome)
}

/** The error for what a program said at a code that is not 0. */
export function refusalOf(program: 'ip' | 'nft', { code, stderr }: Outcome): UnavailableError {
  const said = stderr.trim().split('\n')[0] ?? ''
  const text = `${program}: ${said === '' ? `exit code ${code}` : said}`
  return new UnavailableError('EXITS_KERNEL_REFUSED', text, false)
}

/** Runs a program to its end; its input comes through a shell, because nft cannot open the socket that Node gives. */
export function run(program: string, words: readonly string[], input = ''): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', 'cat | "$@"', 'sh', program, ...words], {
      timeout: TIMEOUT_MS,
      env: { ...process.env, LC_ALL: 'C' }
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.stdin.on('error', () => undefined).end(input)
    child.on('error', (error) => resolve({ code: -1, stdout, stderr: error.message }))
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
  })
}
