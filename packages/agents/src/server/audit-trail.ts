import { destination } from 'pino'
import { UnavailableError } from '@breakwater/core'
import type { Log } from '@breakwater/core'
import { makeFolderOf } from '../make-folder.ts'

/** One mitigation request that was seen, and what was said to it. */
export interface AuditEntry {
  /** ISO 8601, UTC. */
  readonly time: string
  /** Who asked, as DTLS proved it: `dns:home.example`, `psk:branch`. */
  readonly identity: string
  /** The client domain of the configuration; missing for a stranger. */
  readonly client?: string
  readonly remote?: string
  readonly method: string
  readonly cuid?: string
  readonly mitigationId?: number
  /** Prefixes, as they were asked for. */
  readonly targets: readonly string[]
  /** Ports and protocols: `port 80`, `protocol 17`. */
  readonly narrowedTo?: readonly string[]
  /** What an efficacy update says of the attack: `under-attack` or `attack-successfully-mitigated`. */
  readonly attackStatus?: string
  readonly outcome: string
  /** CoAP code of the answer: `2.01`; empty when the client had gone, or got none. */
  readonly answer: string
  readonly problem?: string
  readonly diagnostic?: string
}

/** The file of everything that was asked of a server. */
export interface AuditTrail {
  /** Appends an entry; returns at once. */
  record(entry: AuditEntry): void
  /** Opens the file anew, after it was moved away. */
  reopen(): void
  /** Writes what is still waiting. */
  close(): Promise<void>
}

/** Entries that wait for the disk; beyond that they are lost and counted: a full disk must not stop the server. */
const longestBacklogBytes = 32 * 1024 * 1024

/** For servers without an audit file. */
export const noAuditTrail: AuditTrail = {
  record: () => undefined,
  reopen: () => undefined,
  close: () => Promise.resolve()
}

/**
 * Opens the audit file for appending, as JSON lines. Rejects with `UnavailableError` when it cannot be opened; later
 * trouble is logged and entries are lost, because protection goes before bookkeeping.
 */
export async function openAuditTrail(path: string, log: Log): Promise<AuditTrail> {
  makeFolderOf(path)
  const file = destination({
    dest: path,
    append: true,
    mode: 0o600,
    sync: false,
    maxLength: longestBacklogBytes
  })
  await new Promise<void>((resolve, reject) => {
    file.once('ready', resolve)
    file.once('error', (cause) =>
      reject(
        new UnavailableError('AUDIT_UNUSABLE', `cannot append to ${path}: ${String(cause)}`, false, { cause })
      )
    )
  })
  let lost = 0
  const reportLoss = (): void => {
    lost++
    // The 1st, 2nd, 4th, 8th …: a full disk must not fill the log as well.
    if (Number.isInteger(Math.log2(lost))) log.error('audit.dropped', { path, lost })
  }
  file.on('drop', reportLoss)
  file.on('error', reportLoss)
  return {
    record: (entry) => void file.write(`${JSON.stringify(entry)}\n`),
    reopen: () => file.reopen(),
    close: () =>
      new Promise((resolve) => {
        file.once('close', resolve)
        file.end()
      })
  }
}
