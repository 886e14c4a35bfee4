import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generatedFiles } from '../scripts/generate.ts'
import { VERSION } from '../src/version.ts'

const root = join(import.meta.dirname, '../../..')

describe('generated files', () => {
  it.each([...generatedFiles()])('%s is what the option schemas give', (path, text) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(text)
  })

  it('describe every option in a sentence, and say the unit of every number in its name', () => {
    const page = generatedFiles().get('docs/reference/configuration.md') ?? ''
    const rows = page.split('\n').filter((line) => line.startsWith('| `'))
    expect(rows.length).toBeGreaterThan(60)
    const withoutText = rows.filter((row) => !/\| [^|]{10,} \|$/.test(row))
    expect(withoutText).toEqual([])
    const unitless = new Set([
      'port',
      'lower',
      'upper',
      'protocols',
      'tcpPort',
      'streamsPerClient',
      'mitigations',
      'mitigationsPerClient',
      'cuidsPerClient',
      'targetsPerRequest',
      'requestBurstPerClient',
      'hellosPerSecondPerSource',
      'handshakes',
      'handshakesPerSource',
      'sessions',
      'connections',
      'connectionsPerSource',
      'missingHeartbeatsAllowed',
      'maxRetransmit',
      'ackRandomFactor',
      'precedence',
      'label',
      'delegatingBits',
      'table',
      'rulePriority',
      'protocol',
      'mark'
    ])
    const numbers = rows.filter((row) => / … /.test(row)).map((row) => /`[^`]*?(\w+)`/.exec(row)?.[1] ?? '')
    expect(
      numbers.filter((name) => !/(?:Secon|Millisecon)ds$|PerSecond$|Bytes$/.test(name) && !unitless.has(name))
    ).toEqual([])
  })
})

describe('the version', () => {
  it('is that of the package', () => {
    const text = readFileSync(join(root, 'packages/agents/package.json'), 'utf8')
    expect((JSON.parse(text) as { version: string }).version).toBe(VERSION)
  })
})
