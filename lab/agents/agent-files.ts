import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { runOrThrow } from '../backends/netns/command.ts'
import { dots } from './agent-process.ts'

/** The files of one agent. */
export interface AgentFiles {
  readonly config: string
  readonly socket: string
  /** What the auditor of its traffic found. */
  readonly pacing: string
}

/** Who is certified, and under which name. */
export interface Certified {
  /** Name of the files. */
  readonly file: string
  readonly role: 'server' | 'client'
  readonly dnsName: string
}

/** What was issued in this process, by who was certified: the files by name. */
const issued = new Map<string, Promise<ReadonlyMap<string, Buffer>>>()

/**
 * Makes an authority in `pki` that certifies these. Those who were certified together before get the same again: most
 * worlds of a run have the same agents, and a certificate takes a second.
 */
export async function issueCertificates(pki: string, certified: readonly Certified[]): Promise<void> {
  const key = JSON.stringify(certified.toSorted((one, other) => one.file.localeCompare(other.file)))
  const files = issued.get(key) ?? readAfter(pki, issue(pki, certified))
  issued.set(key, files)
  mkdirSync(pki, { recursive: true })
  for (const [name, content] of await files) writeFileSync(join(pki, name), content, { mode: 0o600 })
}

async function readAfter(pki: string, done: Promise<void>): Promise<ReadonlyMap<string, Buffer>> {
  await done
  return new Map(readdirSync(pki).map((name) => [name, readFileSync(join(pki, name))]))
}

async function issue(pki: string, certified: readonly Certified[]): Promise<void> {
  mkdirSync(pki, { recursive: true })
  await runOrThrow([...dots, 'pki', 'init', pki])
  for (const { file, role, dnsName } of certified)
    await runOrThrow([...dots, 'pki', 'issue', file, `--${role}`, '--dns', dnsName, '--dir', pki])
}

/** The `credentials` of an agent's configuration. */
export function credentialsIn(pki: string, file: string): object {
  return {
    certificate: join(pki, `${file}.crt`),
    privateKey: join(pki, `${file}.key`),
    trustAnchors: join(pki, 'ca.crt')
  }
}

/** JSON is YAML, too. */
export function writeConfig(path: string, config: object): string {
  writeFileSync(path, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 })
  return path
}
