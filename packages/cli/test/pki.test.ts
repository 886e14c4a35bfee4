import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dots } from './run-dots.ts'

const folder = mkdtempSync(join(tmpdir(), 'breakwater-pki-'))
const pki = join(folder, 'pki')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function openssl(...args: string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8' })
}

function file(name: string): string {
  return join(pki, name)
}

function verify(name: string, purpose: string): string {
  return openssl('verify', '-x509_strict', '-purpose', purpose, '-CAfile', file('ca.crt'), file(name))
}

beforeAll(async () => {
  expect((await dots(['pki', 'init', pki, '--name', 'Test CA'])).code).toBe(0)
  const server = ['pki', 'issue', 'server', '--server', '--dns', 'DOTS.isp-a.example', 'dots2.isp-a.example']
  expect((await dots([...server, '--dir', pki])).code).toBe(0)
  expect((await dots(['pki', 'issue', 'home', '--client', '--dns', 'home.example', '--dir', pki])).code).toBe(
    0
  )
})

describe('dots pki', () => {
  it('issues what openssl accepts, strictly, for the purpose asked for and no other', () => {
    expect(verify('server.crt', 'sslserver')).toContain('OK')
    expect(verify('home.crt', 'sslclient')).toContain('OK')
    expect(() => verify('server.crt', 'sslclient')).toThrow()
    expect(() => verify('home.crt', 'sslserver')).toThrow()
  })

  it('names the agent by DNS-IDs, in lower case', () => {
    const { subjectAltName } = new X509Certificate(readFileSync(file('server.crt')))
    expect(subjectAltName).toBe('DNS:dots.isp-a.example, DNS:dots2.isp-a.example')
  })

  it('uses P-256, and keeps keys to their owner', () => {
    for (const name of ['ca.key', 'server.key', 'home.key']) {
      expect(statSync(file(name)).mode & 0o777).toBe(0o600)
      expect(openssl('pkey', '-in', file(name), '-noout', '-text')).toContain('prime256v1')
    }
    expect(statSync(pki).mode & 0o777).toBe(0o700)
  })

  it('may sign no authority below itself', () => {
    const text = openssl('x509', '-in', file('ca.crt'), '-noout', '-text')
    expect(text).toMatch(/CA:TRUE, pathlen:0/)
    expect(text).toContain('Certificate Sign, CRL Sign')
  })

  it('says so when its folder cannot be made', async () => {
    const { code, stderr } = await dots(['pki', 'init', '/proc/breakwater-pki'])
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('cannot make the folder /proc/breakwater-pki')
    ])
  })

  it('never overwrites a file', async () => {
    const before = readFileSync(file('ca.key'), 'utf8')
    const again = await dots(['pki', 'init', pki])
    expect(again.code).toBe(2)
    expect(again.stderr).toContain('is not overwritten')
    expect(readFileSync(file('ca.key'), 'utf8')).toBe(before)
    const issued = await dots([
      'pki',
      'issue',
      'home',
      '--client',
      '--dns',
      'x.example',
      '--dir',
      pki,
      '--json'
    ])
    expect(issued.code).toBe(2)
    expect(JSON.parse(issued.stdout)).toMatchObject({ error: { code: 'PKI_FILE_EXISTS' } })
  })

  it.each([
    [['issue', 'x', '--server'], 'name the agent with --dns'],
    [['issue', 'x', '--dns', 'a.example'], 'say --server or --client'],
    [['issue', 'x', '--server', '--client', '--dns', 'a.example'], 'say --server or --client'],
    [['issue', '../x', '--server', '--dns', 'a.example'], 'is no name'],
    [['issue', 'x', '--server', '--dns', '*.example'], 'is no DNS name'],
    [['issue', 'x', '--server', '--dns', 'a.example', '--days', '0'], 'is no number of days'],
    [['init', join(folder, 'other'), '--name', 'A, CN=B'], 'is no name']
  ])('refuses %j', async (args, reason) => {
    const { code, stderr } = await dots(['pki', ...args, ...(args[0] === 'issue' ? ['--dir', pki] : [])])
    expect(code).toBe(2)
    expect(stderr).toContain(reason)
  })

  it('says what to do first when there is no authority, or what is wrong with it', async () => {
    const issue = ['pki', 'issue', 'x', '--server', '--dns', 'a.example', '--dir']
    expect((await dots([...issue, folder])).stderr).toContain('run "dots pki init" first')
    const broken = mkdtempSync(join(folder, 'broken-'))
    writeFileSync(join(broken, 'ca.crt'), readFileSync(file('ca.crt')))
    writeFileSync(join(broken, 'ca.key'), 'no key')
    const { code, stderr } = await dots([...issue, broken])
    expect(code).toBe(2)
    expect(stderr).toContain('holds no P-256 private key')
  })
})
