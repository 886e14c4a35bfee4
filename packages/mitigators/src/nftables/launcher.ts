import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { Socket } from 'node:net'

/** How a program ended. */
export interface Finished {
  /** 127: there is no such program; 126: it cannot be run. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export type LaunchFailure = 'timeout' | 'output-too-long' | 'launcher-died'

/** The program did not come to an end of its own. */
export class LaunchError extends Error {
  readonly failure: LaunchFailure

  constructor(failure: LaunchFailure) {
    super(failure)
    this.failure = failure
  }
}

export interface LauncherOptions {
  /** The program, with what always stands before its arguments. */
  readonly command: readonly string[]
  /** Working directory of the program. */
  readonly folder: string
  readonly timeoutMs: number
  /** Output that is too much. */
  readonly outputLimitBytes: number
}

/** Ends the output of one program; no JSON and no message of nft contains it. */
const end = '\u0004'

/**
 * One line of input is one call: its words are the arguments. Each call ends with the sign and the exit code on standard
 * output, and the sign on standard error.
 */
const script = `set -f
while IFS= read -r words; do
  "$@" $words </dev/null
  printf '${end}%d\\n' "$?"
  printf '${end}' >&2
done`

/** What comes out of one stream during a call. It may be long: nothing looks at all of it before it is there. */
class Output {
  length = 0
  #chunks: string[] = []
  /** The last characters, which tell whether the call has ended. */
  tail = ''

  take(chunk: string): void {
    this.#chunks.push(chunk)
    this.length += chunk.length
    this.tail = (this.tail + chunk).slice(-longestEnd)
  }

  text(): string {
    return this.#chunks.join('')
  }
}

/** The sign, three digits and the end of the line. */
const longestEnd = 5

interface Call {
  readonly stdout: Output
  readonly stderr: Output
  readonly resolve: (finished: Finished) => void
  readonly reject: (error: LaunchError) => void
  readonly timer: NodeJS.Timeout
}

/**
 * Starts a program again and again from a small shell that stays: to start it from this process would mean to copy the
 * page tables of all its memory each time, while nothing else gets done. One call at a time.
 */
export class Launcher {
  readonly #options: LauncherOptions
  #shell: ChildProcessWithoutNullStreams | undefined
  #call: Call | undefined

  constructor(options: LauncherOptions) {
    this.#options = options
  }

  /**
   * Runs the program. Rejects with a LaunchError when it did not end by itself.
   * @param words Arguments without blanks.
   */
  run(words: readonly string[]): Promise<Finished> {
    if (this.#call !== undefined) throw new Error('the launcher is busy')
    if (words.some((word) => !/^\S+$/.test(word)))
      throw new Error(`a blank in the arguments: ${words.join('|')}`)
    const shell = (this.#shell ??= this.#start())
    setReferenced(shell, true)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#abort('timeout'), this.#options.timeoutMs)
      this.#call = { stdout: new Output(), stderr: new Output(), resolve, reject, timer }
      shell.stdin.write(`${words.join(' ')}\n`)
    })
  }

  /** Lets the shell go; a call that is on its way is aborted. */
  close(): void {
    this.#abort('launcher-died')
  }

  #start(): ChildProcessWithoutNullStreams {
    const { command, folder } = this.#options
    // A process group of its own, which can be ended with whatever the shell started.
    const shell = spawn('/bin/sh', ['-c', script, 'sh', ...command], {
      cwd: folder,
      env: { ...process.env, LC_ALL: 'C' },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe']
    })
    for (const stream of ['stdout', 'stderr'] as const)
      shell[stream].setEncoding('utf8').on('data', (chunk: string) => {
        if (shell === this.#shell) this.#take(stream, chunk)
      })
    // A shell that died is seen by its end; what was still to be written to it does not matter.
    shell.stdin.on('error', () => undefined)
    const died = (): void => {
      if (shell === this.#shell) this.#abort('launcher-died')
    }
    shell.on('error', died)
    shell.on('close', died)
    return shell
  }

  #take(stream: 'stdout' | 'stderr', chunk: string): void {
    const call = this.#call
    if (call === undefined) return
    call[stream].take(chunk)
    if (call[stream].length > this.#options.outputLimitBytes) {
      this.#abort('output-too-long')
      return
    }
    if (
      !call.stdout.tail.endsWith('\n') ||
      !call.stdout.tail.includes(end) ||
      !call.stderr.tail.endsWith(end)
    )
      return
    const [stdout = '', code = ''] = call.stdout.text().split(end)
    const stderr = call.stderr.text().slice(0, -end.length)
    this.#settle((settled) => settled.resolve({ code: Number(code), stdout, stderr }))
  }

  #abort(failure: LaunchFailure): void {
    const shell = this.#shell
    this.#shell = undefined
    if (shell?.pid !== undefined) endGroup(shell.pid)
    this.#settle((call) => call.reject(new LaunchError(failure)))
  }

  #settle(tell: (call: Call) => void): void {
    const call = this.#call
    this.#call = undefined
    if (this.#shell !== undefined) setReferenced(this.#shell, false)
    if (call === undefined) return
    clearTimeout(call.timer)
    tell(call)
  }
}

/** A shell that has nothing to do must not keep the process alive. */
function setReferenced(shell: ChildProcessWithoutNullStreams, wanted: boolean): void {
  const pipes = [shell.stdin, shell.stdout, shell.stderr].filter((stream) => stream instanceof Socket)
  for (const handle of [shell, ...pipes])
    if (wanted) handle.ref()
    else handle.unref()
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
