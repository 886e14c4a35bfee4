import { formatIpAddress, fromHex, parseIpAddress, toHex } from '@breakwater/core'
import type { ClientCredentials, Log, ResumableSession } from '@breakwater/core'
import { createHash } from 'node:crypto'
import { readSecretFile, writeSecretFile } from '../secret-file.ts'

/** Sessions kept at most; those that end first are forgotten. */
const mostSessions = 1000

/** By domain and the credential that it belongs to, then by server. */
type Shelf = Map<string, ResumableSession>

/**
 * What a client could resume, in a file for our own account only: the next process comes back by a short handshake, which
 * under attack is the one that gets through. Trouble with the file is logged and nothing more.
 */
export class KeptSessions {
  readonly #path: string
  readonly #log: Log
  readonly #shelves: Map<string, Shelf>
  #writing: Promise<void> | undefined
  #stale = false

  private constructor(path: string, log: Log, shelves: Map<string, Shelf>) {
    this.#path = path
    this.#log = log
    this.#shelves = shelves
  }

  static async open(path: string, log: Log): Promise<KeptSessions> {
    return new KeptSessions(path, log, await readShelves(path, log))
  }

  /** Those of this credential in this domain. */
  of(credentials: ClientCredentials, domain: string): readonly ResumableSession[] {
    return [...(this.#shelves.get(shelfOf(credentials, domain))?.values() ?? [])]
  }

  /** Keeps these, beside what other endpoints with this credential have left. Returns at once. */
  keep(credentials: ClientCredentials, domain: string, sessions: readonly ResumableSession[]): void {
    const name = shelfOf(credentials, domain)
    const shelf: Shelf = this.#shelves.get(name) ?? new Map<string, ResumableSession>()
    this.#shelves.set(name, shelf)
    for (const session of sessions) shelf.set(serverOf(session), session)
    this.#write()
  }

  /** Resolves when all that is kept is on the disk, or when it is clear that it will not be. */
  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  /** One write at a time; what changes meanwhile is in the next. */
  #write(): void {
    this.#stale = true
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined))
  }

  async #writeAll(): Promise<void> {
    while (this.#stale) {
      this.#stale = false
      try {
        await writeSecretFile(this.#path, this.#text())
      } catch (error) {
        this.#log.error('sessions.not_stored', { path: this.#path, reason: String(error) })
      }
    }
  }

  #text(): string {
    const lines = [...this.#shelves].flatMap(([shelf, sessions]) =>
      [...sessions.values()].map((session) => ({ shelf, session }))
    )
    return lines
      .toSorted((a, b) => b.session.expiresAtMs - a.session.expiresAtMs)
      .slice(0, mostSessions)
      .map(({ shelf, session }) => `${JSON.stringify(lineOf(shelf, session))}\n`)
      .join('')
  }
}

/**
 * Public parts alone: the name of a shelf tells nothing of a key. Two domains never share one: a ticket that one provider
 * gave, shown to another, would tell both that they have the same customer.
 */
function shelfOf(credentials: ClientCredentials, domain: string): string {
  const shown =
    credentials.kind === 'certificate'
      ? credentials.certificate
      : credentials.kind === 'psk'
        ? credentials.identity
        : credentials.peerKeys.join(' ')
  return createHash('sha256')
    .update(JSON.stringify([domain, credentials.kind, shown]))
    .digest('hex')
    .slice(0, 32)
}

function serverOf({ remote, serverName }: ResumableSession): string {
  return `${formatIpAddress(remote.address)} ${remote.port} ${serverName}`
}

interface Line {
  readonly shelf: string
  readonly address: string
  readonly port: number
  readonly serverName: string
  readonly state: string
  readonly expiresAtMs: number
}

function lineOf(shelf: string, { remote, serverName, state, expiresAtMs }: ResumableSession): Line {
  const { address, port } = remote
  return { shelf, address: formatIpAddress(address), port, serverName, state: toHex(state), expiresAtMs }
}

async function readShelves(path: string, log: Log): Promise<Map<string, Shelf>> {
  const shelves = new Map<string, Shelf>()
  try {
    for (const text of ((await readSecretFile(path)) ?? '').split('\n')) {
      const found = text === '' ? undefined : sessionOf(JSON.parse(text))
      if (found === undefined || found.session.expiresAtMs <= Date.now()) continue
      const shelf: Shelf = shelves.get(found.shelf) ?? new Map<string, ResumableSession>()
      shelves.set(found.shelf, shelf.set(serverOf(found.session), found.session))
    }
  } catch (error) {
    log.warn('sessions.unusable', { path, reason: String(error) })
  }
  return shelves
}

function sessionOf(value: unknown): { shelf: string; session: ResumableSession } {
  const { shelf, address, port, serverName, state, expiresAtMs } = value as Partial<Line>
  const parsed = typeof address === 'string' ? parseIpAddress(address) : undefined
  if (
    parsed === undefined ||
    typeof shelf !== 'string' ||
    typeof port !== 'number' ||
    !(Number.isInteger(port) && port > 0 && port < 65_536) ||
    typeof serverName !== 'string' ||
    typeof state !== 'string' ||
    typeof expiresAtMs !== 'number'
  )
    throw new Error('a line is no session')
  const remote = { address: parsed, port }
  return { shelf, session: { remote, serverName, state: fromHex(state), expiresAtMs } }
}
