import { DecodeError, decodeUtf8, encodeUtf8 } from '@breakwater/core'
import type { Log } from '@breakwater/core'
import { loadControlSchemas } from '@breakwater/control'
import type { ProtectRequest } from '@breakwater/control'
import { ProtectionId } from '@breakwater/dots'
import type { ClientEvent, Notebook, ProtectionRequest, RecordChange } from '@breakwater/dots'
import { protectionOf } from './wanted-protection.ts'
import type { NamedProtection } from './wanted-protection.ts'

/** Collection of the record store that a client's protections live in. */
const collection = 'protections'

/**
 * Remembers the protections of a client over a restart: without it, nobody would renew what the servers granted, and an
 * attack that lasts longer than the lifetime would get through. Trouble with the store is logged and nothing more:
 * protection goes before bookkeeping.
 */
export class ProtectionArchive {
  readonly #notebook: Notebook
  readonly #log: Log

  constructor(notebook: Notebook, log: Log) {
    this.#notebook = notebook
    this.#log = log
  }

  /** All that was remembered and not forgotten. Rejects with `UnavailableError` when the store cannot be read. */
  async load(): Promise<readonly ProtectionRequest[]> {
    const records = await this.#notebook.load(collection)
    const { protectRequestSchema } = await loadControlSchemas()
    const { Value } = await import('typebox/value')
    return records.flatMap(({ key, value }) => {
      const protection = revived(key, value, (request): request is ProtectRequest =>
        Value.Check(protectRequestSchema, request)
      )
      if (protection === undefined) this.#log.error('protection.damaged', { protection: key })
      return protection ?? []
    })
  }

  /** Resolves when it is on the disk, or when it is clear that it is not yet. */
  async remember({ id, request }: NamedProtection): Promise<void> {
    const value = encodeUtf8(JSON.stringify(request))
    await this.#note(id, { kind: 'put', collection, key: id, value })
  }

  async forget(id: ProtectionId): Promise<void> {
    await this.#note(id, { kind: 'delete', collection, key: id })
  }

  /** Forgets what ended by itself: the servers said that the attack is over, and no restart may ask for it again. */
  take(event: ClientEvent): void {
    if (event.kind === 'protection' && event.status.state === 'ended') void this.forget(event.status.id)
  }

  async #note(id: ProtectionId, change: RecordChange): Promise<void> {
    if (!(await this.#notebook.note(change))) this.#log.error('protection.not_stored', { protection: id })
  }
}

/** What a record asks for; undefined when it is none that we wrote. */
function revived(
  key: string,
  value: Uint8Array,
  isRequest: (value: unknown) => value is ProtectRequest
): ProtectionRequest | undefined {
  try {
    const request: unknown = JSON.parse(decodeUtf8(value))
    return isRequest(request) ? protectionOf({ id: ProtectionId(key), request }) : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DecodeError) return undefined
    throw error
  }
}
