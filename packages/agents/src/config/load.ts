import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigError } from '@breakwater/core'
import type { ConfigProblem } from '@breakwater/core'
import { DEFAULT_SESSION_PARAMETERS } from '@breakwater/dots'
import type { TSchema } from 'typebox'
import { checkClient, warnOfClient } from './check-client.ts'
import { checkServer } from './check-server.ts'
import { checkSiteFile } from './check-site-file.ts'
import { clientConfigSchema } from './client-config.ts'
import type { ClientConfig } from './client-config.ts'
import type { Draft } from './draft.ts'
import { certificateEnd, ConfigFiles } from './file-format.ts'
import { serverConfigSchema } from './server-config.ts'
import type { ServerConfig } from './server-config.ts'
import { checkShape } from './shape.ts'
import type { ShapeProblem } from './shape.ts'
import { siteFileSchema } from './site-file.ts'
import type { SiteFile } from './site-file.ts'
import { textFormats } from './text-format.ts'
import { MAXIMUM_CONFIG_BYTES, YamlSource } from './yaml-source.ts'

/** A configuration without mistakes. */
export interface LoadedConfig<Config> {
  readonly config: Config
  /** The files that it names, as they were when they were checked. */
  readonly files: ConfigFiles
  /** What will work and may still surprise. */
  readonly warnings: readonly ConfigProblem[]
}

/** Which of the agents a configuration is for. */
export type AgentRole = 'client' | 'server'

interface Kind<Config> {
  readonly schema: TSchema
  readonly check: (draft: Draft<Config>, files: ConfigFiles, whole: boolean) => ShapeProblem[]
  readonly warn: (config: Config, files: ConfigFiles) => ShapeProblem[]
}

const serverKind: Kind<ServerConfig> = {
  schema: serverConfigSchema,
  check: checkServer,
  warn: (config, files) => [
    ...config.listen.flatMap(({ interface: device }, index) =>
      interfaceWarning(device, ['listen', index, 'interface'])
    ),
    ...certificateWarning(config.credentials?.certificate, ['credentials', 'certificate'], files),
    ...timeoutWarning(config.session, 'session')
  ]
}

const clientKind: Kind<ClientConfig> = {
  schema: clientConfigSchema,
  check: checkClient,
  warn: (config, files) => [
    ...warnOfClient(config, files),
    ...timeoutWarning(config.session, 'session'),
    ...timeoutWarning(config.idleSession, 'idleSession'),
    ...config.domains.flatMap(({ interfaces = [], credentials }, index) => [
      ...interfaces.flatMap((device, row) => interfaceWarning(device, ['domains', index, 'interfaces', row])),
      ...(credentials !== undefined && 'certificate' in credentials
        ? certificateWarning(credentials.certificate, ['domains', index, 'credentials', 'certificate'], files)
        : [])
    ])
  ]
}

const siteKind: Kind<SiteFile> = {
  schema: siteFileSchema,
  check: (draft, _, whole) => checkSiteFile(draft, whole),
  warn: () => []
}

/**
 * Reads the configuration of a server.
 * @throws ConfigError with every mistake at once, each with its line and column.
 */
export function loadServerConfig(file: string): LoadedConfig<ServerConfig> {
  return load(file, readSource(file), serverKind)
}

/**
 * Reads the configuration of a client.
 * @throws ConfigError with every mistake at once, each with its line and column.
 */
export function loadClientConfig(file: string): LoadedConfig<ClientConfig> {
  return load(file, readSource(file), clientKind)
}

/**
 * Reads the description of a site.
 * @throws ConfigError with every mistake at once, each with its line and column.
 */
export function loadSiteFile(file: string): LoadedConfig<SiteFile> {
  return load(file, readSource(file), siteKind)
}

/**
 * Checks a configuration of either role; without `role`, the keys at its top tell which one it is for.
 * @throws ConfigError with every mistake at once.
 */
export function checkConfigFile(
  file: string,
  role?: AgentRole
): { readonly role: AgentRole; readonly warnings: readonly ConfigProblem[] } {
  const source = readSource(file)
  const found = role ?? roleOf(source.value)
  const { warnings } = found === 'server' ? load(file, source, serverKind) : load(file, source, clientKind)
  return { role: found, warnings }
}

function load<Config>(file: string, source: YamlSource, kind: Kind<Config>): LoadedConfig<Config> {
  if (source.unreadable) throw invalid(file, source.problems)
  const files = new ConfigFiles(dirname(resolve(file)))
  const formats = { ...textFormats, ...files.formats() }
  const shape = checkShape(kind.schema, source.value, formats)
  const whole = shape.problems.length === 0
  const meaning = shape.value === undefined ? [] : kind.check(shape.value as Draft<Config>, files, whole)
  const located = [...shape.problems, ...meaning].map((problem) => place(source, problem))
  const problems = [...source.problems, ...located].toSorted(byPlace)
  if (problems.length > 0) throw invalid(file, problems)
  // The shape check found nothing: the value is what the schema says.
  const config = shape.value as Config
  return { config, files, warnings: kind.warn(config, files).map((problem) => place(source, problem)) }
}

function place(source: YamlSource, { path, message, atKey }: ShapeProblem): ConfigProblem {
  return source.locate(path, message, atKey)
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
}

function invalid(file: string, problems: readonly ConfigProblem[]): ConfigError {
  const count = problems.length === 1 ? '1 mistake' : `${problems.length} mistakes`
  return new ConfigError('CONFIG_INVALID', `${file} has ${count}`, problems)
}

function readSource(file: string): YamlSource {
  let descriptor: number | undefined
  try {
    // Without O_NONBLOCK, a named pipe would hold up an agent that is to read its configuration again, for ever.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const status = fstatSync(descriptor)
    if (!status.isFile()) throw new Error('it is not a file')
    if (status.size > MAXIMUM_CONFIG_BYTES) throw new Error(`it is longer than ${MAXIMUM_CONFIG_BYTES} bytes`)
    return new YamlSource(readFileSync(descriptor, 'utf8'))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const message = `${file} cannot be read: ${reason}`
    throw new ConfigError('CONFIG_UNREADABLE', message, [{ path: '', message }], { cause: error })
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function roleOf(value: unknown): AgentRole {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : []
  const known = (schema: { readonly properties: object }): number =>
    keys.filter((key) => Object.hasOwn(schema.properties, key)).length
  return known(serverConfigSchema) > known(clientConfigSchema) ? 'server' : 'client'
}

/** Only a warning: an interface may come up later. */
function interfaceWarning(device: string | undefined, path: ShapeProblem['path']): ShapeProblem[] {
  if (device === undefined || existsSync(`/sys/class/net/${device}`)) return []
  return [{ path, message: `there is no interface ${device} at the moment` }]
}

/** Only a warning: at boot, the calendar may still be wrong. */
function certificateWarning(
  certificate: string | undefined,
  path: ShapeProblem['path'],
  files: ConfigFiles
): ShapeProblem[] {
  const end = certificate === undefined ? undefined : certificateEnd(files.text(certificate))
  if (end === undefined || end > Date.now()) return []
  return [{ path, message: `the certificate ended on ${new Date(end).toISOString()}` }]
}

/** RFC 7252 §4.8.1: ACK_TIMEOUT is not decreased without congestion control; that of CoAP is all that there is. */
function timeoutWarning(
  parameters: { readonly ackTimeoutSeconds?: number } | undefined,
  section: string
): ShapeProblem[] {
  const seconds = parameters?.ackTimeoutSeconds
  const usual = DEFAULT_SESSION_PARAMETERS.ackTimeoutSeconds
  if (seconds === undefined || seconds >= usual) return []
  const message = `retransmission after ${seconds} s adds to congestion (RFC 7252 §4.8.1): ${usual} s is usual`
  return [{ path: [section, 'ackTimeoutSeconds'], message }]
}
