import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientCredentials, Log, ResumableSession } from '@breakwater/core'
import { address } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeptSessions } from '../../src/client/kept-sessions.ts'

let folder: string
let path: string
let logged: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-'))
  path = join(folder, 'sessions')
  logged = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const note = (event: string): void => void logged.push(event)
const log: Log = { debug: note, info: note, warn: note, error: note }
const home: ClientCredentials = { kind: 'psk', identity: 'home', key: new Uint8Array(16).fill(0xa5) }
const branch: ClientCredentials = { kind: 'psk', identity: 'branch', key: new Uint8Array(16) }

function session(host: string, state = 'secret', leftMs = 60_000): ResumableSession {
  return {
    remote: { address: address(host), port: 4646 },
    serverName: 'dots.example',
    state: Buffer.from(state),
    expiresAtMs: Date.now() + leftMs
  }
}

const statesOf = (sessions: readonly ResumableSession[]): string[] =>
  sessions.map(({ state }) => Buffer.from(state).toString())

describe('the sessions that a client keeps', () => {
  it('are there for the next process, each for the credential that it belongs to', async () => {
    const kept = await KeptSessions.open(path, log)
    const [v4, v6] = [session('192.0.2.1', 'one'), session('2001:db8::1', 'two')]
    kept.keep(home, 'isp1', [v4])
    kept.keep(home, 'isp1', [v6])
    kept.keep(branch, 'isp1', [session('192.0.2.1', 'three')])
    await kept.close()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const next = await KeptSessions.open(path, log)
    const found = next.of(home, 'isp1').toSorted((a, b) => a.remote.address.family - b.remote.address.family)
    expect(found.map(({ state, ...rest }) => ({ ...rest, state: Buffer.from(state) }))).toEqual([v4, v6])
    expect(statesOf(next.of(branch, 'isp1'))).toEqual(['three'])
    expect(next.of({ ...home, identity: 'other' }, 'isp1')).toEqual([])
    // Another provider gets to see nothing of this one, also where both know us by the same credential.
    expect(next.of(home, 'isp2')).toEqual([])
    expect(logged).toEqual([])
  })

  it('give way to newer ones of the same server, and go when their time is over', async () => {
    const kept = await KeptSessions.open(path, log)
    kept.keep(home, 'isp1', [session('192.0.2.1', 'old'), session('192.0.2.2', 'over', -1)])
    kept.keep(home, 'isp1', [session('192.0.2.1', 'new')])
    await kept.close()
    expect(statesOf((await KeptSessions.open(path, log)).of(home, 'isp1'))).toEqual(['new'])
  })

  it('tell nothing of a key in the file', async () => {
    const kept = await KeptSessions.open(path, log)
    kept.keep(home, 'isp1', [session('192.0.2.1')])
    await kept.close()
    expect(readFileSync(path, 'utf8')).not.toMatch(/a5a5a5|paWlpa/)
  })

  it('are at most 1000: those that end first are forgotten', async () => {
    const kept = await KeptSessions.open(path, log)
    const hosts = Array.from({ length: 1100 }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
    kept.keep(
      home,
      'isp1',
      hosts.map((host, index) => session(host, host, 60_000 + index))
    )
    await kept.close()
    const left = statesOf((await KeptSessions.open(path, log)).of(home, 'isp1'))
    expect(left).toHaveLength(1000)
    expect(left).not.toContain('10.0.0.0')
    expect(left).toContain('10.0.4.75')
  })

  it.for([
    ['no JSON', 'nonsense\n'],
    ['no session', '{"shelf":"x","address":"192.0.2.1","port":99999}\n'],
    ['null', 'null\n']
  ] as const)('are those before the damage when a line of the file is %s', async ([, line]) => {
    const kept = await KeptSessions.open(path, log)
    kept.keep(home, 'isp1', [session('192.0.2.1')])
    await kept.close()
    appendFileSync(path, line)
    expect((await KeptSessions.open(path, log)).of(home, 'isp1')).toHaveLength(1)
    expect(logged).toEqual(['sessions.unusable'])
  })

  it('are not taken from a file that is open to others', async () => {
    const kept = await KeptSessions.open(path, log)
    kept.keep(home, 'isp1', [session('192.0.2.1')])
    await kept.close()
    chmodSync(path, 0o640)
    expect((await KeptSessions.open(path, log)).of(home, 'isp1')).toEqual([])
    expect(logged).toEqual(['sessions.unusable'])
  })

  it('serve although they cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '')
    const kept = await KeptSessions.open(join(folder, 'file', 'sessions'), log)
    kept.keep(home, 'isp1', [session('192.0.2.1')])
    await kept.close()
    expect(kept.of(home, 'isp1')).toHaveLength(1)
    expect(logged).toContain('sessions.not_stored')
  })
})
