import { BreakwaterError, ConfigError } from '@breakwater/core'
import { printable } from './table.ts'

/** Writes results: lines for people, or one JSON object for programs. */
export interface Reporter {
  readonly json: boolean
  /** The result of a command. `lines` is only asked when people read it. */
  result(value: object, lines: () => readonly string[]): void
  /** Progress, for people only; on standard error, so that results can be piped. */
  progress(line: string): void
}

export function reporter(json: boolean): Reporter {
  return {
    json,
    result(value, lines) {
      process.stdout.write(
        json
          ? `${JSON.stringify(value)}\n`
          : lines()
              .map((line) => `${line}\n`)
              .join('')
      )
    },
    progress(line) {
      if (!json) process.stderr.write(`${printable(line)}\n`)
    }
  }
}

/** Tells of a failure: one JSON object on standard output, or lines on standard error. */
export function reportError(error: unknown, json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify({ error: errorView(error) })}\n`)
  else for (const line of errorLines(error)) process.stderr.write(`${line}\n`)
}

function errorView(error: unknown): object {
  if (!(error instanceof BreakwaterError))
    return { family: 'InternalError', code: 'CLI_FAILED', message: messageOf(error) }
  const { name, code, message } = error
  const problems =
    error instanceof ConfigError && error.problems.length > 0 ? { problems: error.problems } : {}
  return { family: name, code, message, ...problems }
}

/** `file:line:column` first, as compilers write it, so that editors can jump there. */
function errorLines(error: unknown): string[] {
  const head = `dots: ${printable(messageOf(error))}`
  if (!(error instanceof ConfigError)) return [head]
  const lines = error.problems
    .filter(({ message }) => message !== error.message)
    .map(({ path, message, line, column }) => {
      const at = line === undefined ? '' : `line ${line}, column ${column ?? 1}: `
      return `  ${at}${printable(path === '' ? message : `${path}: ${message}`)}`
    })
  return [head, ...lines]
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
