import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Seconds, WallTime } from '@breakwater/core'
import type { ClientEndpointOptions, Log, SecureEndpoint } from '@breakwater/core'
import { VirtualClock, address } from '@breakwater/testing'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { VainAttempts } from '../../src/client/vain-attempts.ts'
import { Sandbox } from '../config/sandbox.ts'

const sandbox = new Sandbox()
const interfaces = mkdtempSync(join(tmpdir(), 'breakwater-interfaces-'))
afterAll(() => {
  sandbox.remove()
  rmSync(interfaces, { recursive: true, force: true })
})

const certificate = readFileSync(join(sandbox.folder, 'own.crt'), 'utf8')
const options: ClientEndpointOptions = {
  role: 'client',
  local: { address: address('192.0.2.7'), port: 0 },
  interface: 'wan1',
  credentials: { kind: 'certificate', certificate, privateKey: '', trustAnchors: certificate }
}

function carrier(name: string, value: '0' | '1'): void {
  mkdirSync(join(interfaces, name), { recursive: true })
  writeFileSync(join(interfaces, name, 'carrier'), `${value}\n`)
}

const silent = (): void => undefined

let warnings: unknown[]
let clock: VirtualClock
let vain: VainAttempts

beforeEach(() => {
  warnings = []
  const warn = (_: string, fields?: object): void => void warnings.push(fields)
  const log: Log = { debug: silent, info: silent, warn, error: silent }
  clock = new VirtualClock({ wallClock: WallTime(Date.now() + 60_000) })
  vain = new VainAttempts({ clock, log, interfaces })
  carrier('wan1', '1')
})

const endpoint = {} as SecureEndpoint
const attempt = (): Promise<SecureEndpoint> =>
  vain.refusing(() => Promise.resolve(endpoint))(options, {
    onBatch: () => undefined,
    onSession: () => undefined
  })

describe('RFC 9132 §4.7: an attempt that can come to nothing sends nothing, so that it does not count', () => {
  it('an interface without a carrier is not tried, is told of once, and is tried when it has one', async () => {
    carrier('wan1', '0')
    for (let left = 3; left > 0; left--)
      await expect(attempt()).rejects.toMatchObject({ code: 'CLIENT_ATTEMPT_VAIN', retryable: true })
    expect(warnings).toEqual([{ reason: 'interface wan1 has no carrier' }])
    carrier('wan1', '1')
    expect(await attempt()).toBe(endpoint)
    carrier('wan1', '0')
    await expect(attempt()).rejects.toThrow('no carrier')
    expect(warnings).toHaveLength(2)
  })

  it.each([
    ['before the beginning', WallTime(0), 'not valid yet: it is 1970-01-01'],
    ['after the end', WallTime(Date.parse('2099-05-01')), 'has expired: it is 2099-05-01']
  ])('a clock %s of the own certificate is waited for', async (_, wrong, reason) => {
    const right = clock.wallClock()
    clock.setWallClock(wrong)
    await expect(attempt()).rejects.toThrow(reason)
    clock.setWallClock(right)
    await clock.advance(Seconds(5))
    expect(await attempt()).toBe(endpoint)
  })

  it.each([
    ['a key has no validity', { credentials: { kind: 'psk', identity: 'home', key: new Uint8Array(16) } }],
    ['an interface that the system does not tell of is tried', { interface: 'wan9' }]
  ] as const)('%s', (_, change) => {
    if ('credentials' in change) clock.setWallClock(WallTime(0))
    expect(vain.obstacleTo({ ...options, ...change })).toBeUndefined()
  })
})
