import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProvisioningSourceWorld } from '@breakwater/testing'
import { systemClock } from '../../src/clock.ts'
import { dropDirectory } from '../../src/provisioning/drop-directory.ts'

/** A drop directory of its own. */
export class DropWorld implements ProvisioningSourceWorld {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'breakwater-drop-'))
  readonly source = dropDirectory({ path: this.folder, clock: systemClock() })

  say(said: { interface: string; prefix: string; validSeconds: number; preferredSeconds: number }): void {
    const { prefix, validSeconds, preferredSeconds } = said
    this.drop(`${said.interface}.json`, {
      version: 1,
      interface: said.interface,
      origin: 'dhcpv6',
      prefixes: [{ prefix, validSeconds, preferredSeconds }]
    })
  }

  unsay(via: string): void {
    rmSync(this.path(`${via}.json`))
  }

  /** Puts a file into place as the documentation wants it: written apart, then renamed. */
  drop(name: string, content: unknown, mode = 0o644): void {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    writeFileSync(this.path(`.${name}.tmp`), text)
    chmodSync(this.path(`.${name}.tmp`), mode)
    renameSync(this.path(`.${name}.tmp`), this.path(name))
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
