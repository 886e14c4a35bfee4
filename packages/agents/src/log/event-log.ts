import { destination, pino } from 'pino'
import type { Log, LogFields } from '@breakwater/core'
import { entryOf } from './event-catalogue.ts'
import type { Level } from './event-catalogue.ts'
import { prettyLine } from './pretty-line.ts'

export interface EventLogOptions {
  readonly level: Level
  readonly pretty: boolean
  /** A file descriptor or a path. Default: standard error. */
  readonly destination?: number | string
}

/** The log of a process. */
export interface EventLog extends Log {
  /** Writes what is still waiting, in order, and closes; later events are ignored. Nothing is lost by an exit then. */
  close(): Promise<void>
}

/** Lines that wait for a reader that does not read; beyond that they are dropped, so that the agent never waits. */
const longestBacklogBytes = 16 * 1024 * 1024

/** Names of fields that no event has; should one get in by mistake, its value stays out. */
const secretFields = ['key', 'psk', 'preSharedKey', 'privateKey', 'secret', 'password']

const severity: Readonly<Record<Level, number>> = { debug: 20, info: 30, warn: 40, error: 50 }

/** Opens the log: one JSON object per event, or lines for people. Writing never blocks the agent. */
export function openEventLog(options: EventLogOptions): EventLog {
  const sink = destination({ dest: options.destination ?? 2, sync: false, maxLength: longestBacklogBytes })
  // Standard error may be closed before us (EPIPE): that is no reason to stop protecting anybody.
  sink.on('error', () => undefined)
  const log = options.pretty ? prettyLog(options.level, sink) : jsonLog(options.level, sink)
  let isOpen = true
  const whileOpen =
    (kind: Level) =>
    (event: string, fields?: LogFields): void => {
      if (isOpen) log[kind](event, fields)
    }
  return {
    debug: whileOpen('debug'),
    info: whileOpen('info'),
    warn: whileOpen('warn'),
    error: whileOpen('error'),
    close: () => {
      isOpen = false
      return end(sink)
    }
  }
}

/** Not `flushSync`: it overtakes the write that is under way. */
function end(sink: ReturnType<typeof destination>): Promise<void> {
  return new Promise((resolve) => {
    sink.once('close', resolve)
    // There is nobody left to tell.
    sink.once('error', () => resolve())
    sink.end()
  })
}

interface Sink {
  write(line: string): boolean | void
}

function jsonLog(level: Level, sink: ReturnType<typeof destination>): Log {
  const redact = { paths: secretFields, censor: '[secret]' }
  const logger = pino({ level, base: { pid: process.pid }, redact, timestamp: isoTime }, sink)
  const write =
    (kind: Level) =>
    (event: string, fields: LogFields = {}): void =>
      logger[kind]({ event, ...fields }, entryOf(event).text)
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

function isoTime(): string {
  return `,"time":"${new Date().toISOString()}"`
}

function prettyLog(level: Level, sink: Sink): Log {
  const write =
    (kind: Level) =>
    (event: string, fields: LogFields = {}): void => {
      if (severity[kind] < severity[level]) return
      const shown = Object.entries(fields).map(
        ([name, value]) => [name, secretFields.includes(name) ? '[secret]' : value] as const
      )
      sink.write(`${prettyLine(new Date(), kind, event, entryOf(event).text, shown)}\n`)
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
