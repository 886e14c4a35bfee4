import { type ChildProcess, spawn } from 'node:child_process'

/** What a finished command left behind. */
export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end, with `input` as its standard input. Never throws on an exit code. */
export function run(
  command: readonly [string, ...string[]],
  options: { readonly input?: string; readonly timeoutSeconds?: number } = {}
): Promise<CommandResult> {
  const [program, ...args] = command
  const child = spawn(program, args, {
    timeout: (options.timeoutSeconds ?? 20) * 1000,
    killSignal: 'SIGKILL'
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => undefined).end(options.input ?? '')
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
  })
}

/** Runs a command that has to succeed; returns what it printed. */
export async function runOrThrow(
  command: readonly [string, ...string[]],
  options: { readonly input?: string; readonly timeoutSeconds?: number } = {}
): Promise<string> {
  const result = await run(command, options)
  if (result.code !== 0) throw new Error(`${command.join(' ')}: exit ${result.code}: ${result.stderr.trim()}`)
  return result.stdout
}

/** Seconds that a process gets to end by itself when it is asked to. */
const graceSeconds = 3

/**
 * Ends a process that was started as leader of its group, with all that it started: asks first, insists after a grace.
 * Resolves when it has gone.
 */
export function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    const insist = setTimeout(() => killGroup(child, 'SIGKILL'), graceSeconds * 1000)
    child.on('exit', () => {
      clearTimeout(insist)
      resolve()
    })
    killGroup(child, signal)
  })
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // The group has gone already.
  }
}
