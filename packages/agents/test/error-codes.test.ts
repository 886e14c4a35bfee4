import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../..')

/** Packages that ship. The codes of `testing` are for developers only. */
const shipped = readdirSync(join(root, 'packages')).filter((name) => name !== 'testing')

const codePattern =
  '(?:CORE|COAP|MODEL|DOTS|DTLS|TLS|STORE|MITIGATOR|CONTROL|CONFIG|AUDIT|CLI|PKI)_[A-Z0-9_]+'

/** Looks like a code and is the name of an environment variable. */
const noCodes = new Set(['DOTS_SOCKET'])

const sources = shipped
  .flatMap((name) =>
    readdirSync(join(root, 'packages', name, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(join(root, 'packages', name, 'src', file), 'utf8'))
  )
  .join('\n')

const page = readFileSync(join(root, 'docs/reference/errors.md'), 'utf8')

/** Code → family or answer, as the page says. */
const documented = new Map(
  [...page.matchAll(new RegExp(`^\\| \`(${codePattern})\` \\| ([^|]+) \\|`, 'gm'))].map(
    ([, code = '', family = '']) => [code, family.trim()] as const
  )
)

const used = new Set(
  [...sources.matchAll(new RegExp(`'(${codePattern})'`, 'g'))]
    .map(([, code = '']) => code)
    .filter((code) => !noCodes.has(code))
)

/** Codes that are put together from parts: `DOTS_SERVER_RECORD_${kind}`. */
const patterns = [...sources.matchAll(/`((?:[A-Z0-9]+_)+)\$\{[^}]*\}((?:_[A-Z0-9]+)*)`/g)].map(
  ([, start = '', end = '']) => new RegExp(`^${start}[A-Z0-9_]+${end}$`)
)

function isUsed(code: string): boolean {
  return used.has(code) || patterns.some((pattern) => pattern.test(code))
}

describe('the reference page of errors', () => {
  it('has every code of the sources', () => {
    expect(used.size).toBeGreaterThan(100)
    expect([...used].filter((code) => !documented.has(code))).toEqual([])
    expect(patterns.filter((pattern) => ![...documented.keys()].some((code) => pattern.test(code)))).toEqual(
      []
    )
  })

  it('has no code that no source has', () => {
    expect([...documented.keys()].filter((code) => !isUsed(code))).toEqual([])
  })

  it('names the family that the sources throw', () => {
    const thrown = [...sources.matchAll(new RegExp(`new (\\w+Error)\\(\\s*'(${codePattern})'`, 'g'))]
    expect(thrown.length).toBeGreaterThan(50)
    const wrong = thrown
      .map(([, family = '', code = '']) => ({ code, family, page: documented.get(code) }))
      .filter(({ family, page: said }) => family !== said)
    expect(wrong).toEqual([])
  })
})
