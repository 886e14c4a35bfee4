import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ControlClient } from '@breakwater/control'
import { PskServer } from '../e2e/psk-server.ts'
import { buildDiskKiller } from './disk-killer.ts'
import type { LeadRecord } from './lead-record.ts'
import { preloading } from './preload.ts'
import type { LivingServer } from './signalling-client.ts'

/** A server that shares its store and can be told, while it runs, where to die. */
export class SharingServer implements LivingServer {
  readonly name: string
  readonly server: PskServer
  readonly #orderFile: string
  readonly #leads: LeadRecord
  readonly #environment: Record<string, string>
  #isGone = true
  ended: Promise<void> = Promise.resolve()
  /** By the calendar, in milliseconds. */
  endedAt = 0

  constructor(
    name: string,
    storePath: string,
    environment: Readonly<Record<string, string>>,
    leads: LeadRecord
  ) {
    this.name = name
    this.#leads = leads
    this.#environment = { ...environment }
    this.server = new PskServer({
      storePath,
      sharesStore: true,
      mitigator: '{ kind: nftables }',
      more: 'activeButTerminatingSeconds: 0',
      environment: this.#environment
    })
    this.#orderFile = join(this.server.folder, 'order')
    Object.assign(this.#environment, {
      LD_PRELOAD: buildDiskKiller(),
      NODE_OPTIONS: preloading('kill-preload.ts'),
      BREAKWATER_CRASH_ORDER: this.#orderFile
    })
  }

  readonly isGone = (): boolean => this.#isGone

  get control(): ControlClient {
    return this.server.control
  }

  get log(): string {
    return this.server.process?.log ?? ''
  }

  get placeOfDeath(): string | undefined {
    return /^killed at (\S+)$/m.exec(this.log)?.[1]
  }

  get leads(): boolean {
    return !this.#isGone && this.#leads.leads(this.log)
  }

  /** Of the life that it has now, by the calendar, in milliseconds. */
  get leadsSince(): number {
    return this.#leads.since(this.log)
  }

  storedKeys(): string[] {
    return this.server.storedKeys()
  }

  /** `phase/place/occurrence`, until it is gone. */
  order(where: string): void {
    writeFileSync(this.#orderFile, where)
  }

  /** Unless it runs. */
  async start(): Promise<void> {
    if (!this.#isGone) return
    const starting = this.server.start()
    this.#isGone = false
    this.ended = this.#end()
    await starting
  }

  /** In good order. */
  async stop(): Promise<void> {
    await this.server.process?.stop('SIGTERM')
    await this.ended
  }

  async kill(): Promise<void> {
    await this.server.process?.stop('SIGKILL')
    await this.ended
  }

  async remove(): Promise<void> {
    await this.kill()
    await this.server.remove()
  }

  async #end(): Promise<void> {
    await this.server.process?.finished()
    this.#isGone = true
    this.endedAt = Date.now()
    this.#leads.end(this.name, this.log, this.endedAt)
    rmSync(this.#orderFile, { force: true })
  }
}
