import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JsonObject, JsonValue } from '@breakwater/model'

/** Copies of the IETF modules that libyang 2.1 accepts. They are not part of the repository. */
export const yangFolder: string = join(import.meta.dirname, '../../shared/yang/relaxed-for-libyang')

export const hasYangModules: boolean = existsSync(yangFolder)

export const hasYanglint: boolean = spawnSync('yanglint', ['--version']).status === 0

const signalModule = 'ietf-dots-signal-channel'

/**
 * The members of the messages as the module knows them. In RFC 9132's bodies each stands in a container that is a case of
 * a choice in YANG (§5.3), and a case is no data node.
 */
export function withoutWrapper(body: JsonObject): JsonObject {
  const inside = Object.values(body).filter((value) => typeof value === 'object' && value !== null)
  return { [`${signalModule}:dots-signal`]: Object.assign({}, ...inside) as JsonObject }
}

/** Validates signal channel bodies against the module `ietf-dots-signal-channel`. */
export class Yanglint {
  readonly #folder = mkdtempSync(join(tmpdir(), 'breakwater-yang-'))
  readonly #modules: readonly string[]

  constructor() {
    const file = moduleFile(signalModule)
    const text = readFileSync(join(yangFolder, file), 'utf8')
    const opening = 'sx:structure dots-signal {'
    if (!text.includes(opening)) throw new Error(`${file} has no ${opening}`)
    // yanglint validates data trees, and a structure (RFC 8791) is none: here it becomes a container. Without
    // "config false" its list without key would not be allowed.
    writeFileSync(
      join(this.#folder, file),
      text.replace(opening, 'container dots-signal {\n    config false;')
    )
    // Only of a module that is loaded itself, not merely imported, identities are known.
    this.#modules = [join(this.#folder, file), join(yangFolder, moduleFile('ietf-access-control-list'))]
  }

  /** What yanglint has against the body, or undefined. */
  problemOf(body: JsonValue): string | undefined {
    const file = join(this.#folder, 'body.json')
    const data = typeof body === 'object' && body !== null ? withoutWrapper(body as JsonObject) : body
    writeFileSync(file, JSON.stringify(data))
    const paths = ['-p', this.#folder, '-p', yangFolder]
    const done = spawnSync('yanglint', [...paths, '-f', 'json', ...this.#modules, file], { encoding: 'utf8' })
    if (done.error !== undefined) throw done.error
    return done.status === 0 ? undefined : (done.stderr.match(/libyang err : .*/)?.[0] ?? done.stderr)
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true })
  }
}

function moduleFile(name: string): string {
  const file = readdirSync(yangFolder).find((entry) => entry.startsWith(`${name}@`))
  if (file === undefined) throw new Error(`${yangFolder} has no module ${name}`)
  return file
}
