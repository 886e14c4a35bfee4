import { checkCredentials } from './check-credentials.ts'
import { present } from './draft.ts'
import type { Draft } from './draft.ts'
import type { ConfigFiles } from './file-format.ts'
import { redirectionFaults } from './redirection-fault.ts'
import type { ServerConfig } from './server-config.ts'
import type { ConfigPath, ShapeProblem } from './shape.ts'

type ConfigDraft = Draft<ServerConfig>

/** What the keys of a server configuration must hold together. */
export function checkServer(config: ConfigDraft, files: ConfigFiles): ShapeProblem[] {
  return [
    ...credentialProblems(config, files),
    ...listenProblems(config),
    ...clientProblems(config),
    ...redirectionProblems(config)
  ]
}

function credentialProblems(config: ConfigDraft, files: ConfigFiles): ShapeProblem[] {
  const problems = twice(
    present(config.preSharedKeys).flatMap(([index, { identity }]) =>
      identity === undefined ? [] : [[identity, ['preSharedKeys', index, 'identity']] as const]
    ),
    'identity'
  )
  if (!('credentials' in config) && !('rawPublicKey' in config) && config.preSharedKeys?.length === 0)
    problems.push({
      path: [],
      message: 'the server has neither "credentials" nor "preSharedKeys" nor "rawPublicKey"'
    })
  problems.push(...rawKeyProblems(config, files))
  if (config.credentials === undefined) return problems
  return [...problems, ...checkCredentials(config.credentials, ['credentials'], files)]
}

function redirectionProblems({ redirection, clients }: ConfigDraft): ShapeProblem[] {
  if (redirection === undefined) return []
  const names = new Set(present(clients).flatMap(([, { name }]) => (name === undefined ? [] : [name])))
  return redirectionFaults(redirection, names).map(({ path, message }) => ({
    path: ['redirection', ...path],
    message
  }))
}

/** OpenSSL shows one key in either dress; and a server with a raw key that knows no client's is of no use. */
function rawKeyProblems(config: ConfigDraft, files: ConfigFiles): ShapeProblem[] {
  if (config.rawPublicKey === undefined) return []
  const { privateKey } = config.rawPublicKey
  const path = ['rawPublicKey']
  const clients = present(config.clients)
  if (clients.every(([, { identity }]) => identity !== undefined && !('publicKey' in identity)))
    return [{ path, message: 'no client has a "publicKey": nobody could come by a raw public key' }]
  const certificate = config.credentials?.certificate
  return checkCredentials({ certificate, privateKey }, path, files)
}

function listenProblems(config: ConfigDraft): ShapeProblem[] {
  const rows = present(config.listen).flatMap(([index, { address, port, interface: device }]) =>
    address === undefined || port === undefined || port === 0
      ? []
      : [
          [
            `${address} port ${port}${device === undefined ? '' : ` on ${device}`}`,
            ['listen', index]
          ] as const
        ]
  )
  return [...twice(rows, 'address'), ...transportProblems(config)]
}

function transportProblems(config: ConfigDraft): ShapeProblem[] {
  return present(config.listen).flatMap(([index, { transports, interface: device }]) => {
    const path = ['listen', index, 'transports']
    const rows = present(transports).map(([at, transport]) => [transport, [...path, at]] as const)
    const problems = twice(rows, 'transport')
    if (device !== undefined && present(transports).some(([, transport]) => transport === 'tcp'))
      problems.push({
        path,
        message: 'a listening TCP socket cannot be bound to an interface; listen on an address of it instead'
      })
    return problems
  })
}

function clientProblems(config: ConfigDraft): ShapeProblem[] {
  const clients = present(config.clients)
  const names = clients.flatMap(([index, { name }]) =>
    name === undefined ? [] : [[name, ['clients', index, 'name']] as const]
  )
  const identities = clients.flatMap(([index, { identity }]) => identityRow(index, identity))
  const prefixes = clients.flatMap(([index, client]) =>
    twice(
      present(client.prefixes).map(([place, text]) => [text, ['clients', index, 'prefixes', place]] as const),
      'prefix'
    )
  )
  return [...twice(names, 'name'), ...twice(identities, 'identity'), ...prefixes, ...identityProblems(config)]
}

type IdentityDraft = NonNullable<NonNullable<ConfigDraft['clients']>[number]>['identity']

function identityRow(index: number, identity: IdentityDraft): (readonly [string, ConfigPath])[] {
  if (identity === undefined) return []
  const { dnsName, pskIdentity, publicKey } = identity as Partial<Record<string, string>>
  const text = dnsName?.toLowerCase() ?? pskIdentity ?? publicKey?.toLowerCase()
  return text === undefined ? [] : [[text, ['clients', index, 'identity']]]
}

/** A client that can never prove its identity is a mistake, not a client that never comes. */
function identityProblems(config: ConfigDraft): ShapeProblem[] {
  const known = new Set(present(config.preSharedKeys).map(([, { identity }]) => identity))
  const keysAreWhole = config.preSharedKeys !== undefined && !known.has(undefined)
  return present(config.clients).flatMap(([index, { identity }]): ShapeProblem[] => {
    const path = ['clients', index, 'identity']
    if (identity === undefined) return []
    if ('dnsName' in identity)
      return 'credentials' in config
        ? []
        : [
            {
              path: [...path, 'dnsName'],
              message: 'clients with certificates need "credentials" of the server'
            }
          ]
    if ('publicKey' in identity)
      return 'rawPublicKey' in config
        ? []
        : [
            {
              path: [...path, 'publicKey'],
              message: 'clients with raw keys need "rawPublicKey" of the server'
            }
          ]
    const psk = 'pskIdentity' in identity ? identity.pskIdentity : undefined
    if (psk === undefined || !keysAreWhole || known.has(psk)) return []
    return [{ path: [...path, 'pskIdentity'], message: `no key of "preSharedKeys" has the identity ${psk}` }]
  })
}

/** Every row whose text stood in an earlier row, too. */
function twice(rows: readonly (readonly [string, ConfigPath])[], what: string): ShapeProblem[] {
  const seen = new Set<string>()
  return rows.flatMap(([text, path]) => {
    const again = seen.has(text)
    seen.add(text)
    return again ? [{ path, message: `the ${what} ${text} is given twice` }] : []
  })
}
