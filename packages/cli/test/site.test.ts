import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { dots } from './run-dots.ts'

const example = join(import.meta.dirname, '../../../examples/site.yaml')
const folder = mkdtempSync(join(tmpdir(), 'breakwater-site-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The example with some words replaced. */
function changed(name: string, text: string, instead: string): string {
  const before = readFileSync(example, 'utf8')
  expect(before).toContain(text)
  const file = join(folder, name)
  writeFileSync(file, before.replace(text, instead))
  return file
}

describe('dots site plan', () => {
  it('prints a /64 for every link and provider, and who is asked to protect what', async () => {
    const { code, stdout, stderr } = await dots(['site', 'plan', example])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^lab +2001:db8:101:1000::\/64 +isp-a +lab-router +7 d$/m)
    expect(stdout).toMatch(/^dots-client on lan +2001:db8:101::53 +preferred +cpe$/m)
    expect(stdout).toMatch(/^203\.0\.113\.16\/28 +assigned by isp-b +cpe +isp-b\/dots\.isp-b\.example$/m)
  })

  it('prints one JSON object', async () => {
    const { stdout } = await dots(['site', 'plan', example, '--json'])
    const plan = JSON.parse(stdout) as { links: { link: string; prefix: string }[]; problems: unknown[] }
    expect(plan.links.map(({ link, prefix }) => `${link} ${prefix}`)).toEqual([
      'lan 2001:db8:101::/64',
      'lan 2001:db8:202:100::/64',
      'lab 2001:db8:101:1000::/64',
      'lab 2001:db8:202:110::/64'
    ])
    expect(plan.problems).toEqual([])
  })

  it('fails when a part of the site cannot be numbered, and says which', async () => {
    const file = changed('full.yaml', '2001:db8:202:100::/56', '2001:db8:202:100::/60')
    const { code, stdout } = await dots(['site', 'plan', file])
    expect(code).toBe(1)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      'error: router lab-router: lab-router gets nothing of 2001:db8:202:100::/60: ' +
        'cpe has 2001:db8:202:100::/60, which is too small to delegate from'
    )
  })

  it('refuses a file with a mistake, with its place and the word that was meant', async () => {
    const file = changed('wrong.yaml', 'requestsFrom: [cpe]', 'requestsFrom: [cep]')
    const { code, stderr } = await dots(['site', 'plan', file])
    expect(code).toBe(2)
    expect(stderr).toContain(
      'routers[1].requestsFrom[0]: there is no router called "cep"; did you mean "cpe"?'
    )
  })
})

describe('dots site exits', () => {
  it('prints lines that a shell can take', async () => {
    const { code, stdout } = await dots(['site', 'exits', example])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^ip -6 rule add pref 4648 from 2001:db8:202:100::\/56 lookup 46462 protocol 146$/m
    )
    expect(stdout).toMatch(/^nft -f - <<'EOF'$/m)
  })

  it('prints what another router has to do, which rewrites nothing', async () => {
    const { stdout } = await dots(['site', 'exits', example, '--router', 'lab-router', '--json'])
    const { router, lines, problems } = JSON.parse(stdout) as {
      router: string
      lines: string[]
      problems: { code: string }[]
    }
    expect(router).toBe('lab-router')
    expect(lines.join(' ')).not.toContain('snat')
    // The example gives it no IPv4.
    expect(problems.map(({ code }) => code)).toEqual(['GATEWAY_MISSING', 'GATEWAY_MISSING'])
  })

  it('refuses a router that is not there, and two things at once', async () => {
    const unknown = await dots(['site', 'exits', example, '--router', 'attic'])
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('there are cpe, lab-router')])
    expect((await dots(['site', 'exits', example, '--check', '--apply'])).code).toBe(2)
  })
})
