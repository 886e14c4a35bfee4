import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { checkConfigFile, planSiteFile } from '../src/index.ts'
import { mistakesOf, Sandbox } from './config/sandbox.ts'

const examples = join(import.meta.dirname, '../../../examples')
const sandbox = new Sandbox()
afterAll(() => sandbox.remove())

/** Puts a file of the kind that its name says wherever the example names one. */
function provideFiles(text: string): void {
  for (const [, name = ''] of text.matchAll(/\b([\w./-]+\.(?:crt|key|psk))\b/g)) {
    const path = join(sandbox.folder, name)
    mkdirSync(dirname(path), { recursive: true })
    const kind = name.split('.').at(-1) ?? ''
    if (!existsSync(path))
      copyFileSync(join(sandbox.folder, kind === 'psk' ? 'good.psk' : `own.${kind}`), path)
  }
}

describe('the examples', () => {
  const all = readdirSync(examples).filter((name) => name.endsWith('.yaml'))
  const names = all.filter((name) => name !== 'site.yaml')

  it('are there', () => {
    expect(names).toContain('server.yaml')
    expect(names).toContain('client.yaml')
  })

  it.each(names)('%s is a good configuration of the role that its name says', (name) => {
    const text = readFileSync(join(examples, name), 'utf8')
    provideFiles(text)
    const file = sandbox.write(name, text)
    expect(mistakesOf(() => checkConfigFile(file))).toBeUndefined()
    expect(checkConfigFile(file).role).toBe(name.includes('server') ? 'server' : 'client')
  })

  it('site.yaml is a site whose plan has no problem', () => {
    expect(planSiteFile(join(examples, 'site.yaml')).problems).toEqual([])
  })

  it.each(all)('%s names the schema that editors check it with', (name) => {
    const [, schema = ''] = /\$schema=(\S+)/.exec(readFileSync(join(examples, name), 'utf8')) ?? []
    expect(existsSync(join(examples, schema))).toBe(true)
  })
})
