import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')

/** Names between backquotes that look like files: `dots/src/client/host.ts`, `placement.ts`. */
function namedFiles(): readonly string[] {
  return [...new Set([...text.matchAll(/`([\w./-]+\.(?:ts|mjs|cc|md))`/g)].map((match) => match[1] ?? ''))]
}

const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
  (name) => !/(^|\/)(node_modules|dist|build|\.git)\//.test(name)
)

describe('ARCHITECTURE.md', () => {
  it.each(namedFiles().map((name) => [name]))('names a file that exists: %s', (name) => {
    const places = name.includes('/')
      ? [join(root, name), join(root, 'packages', name)].filter((path) => existsSync(path))
      : sources.filter((path) => path.endsWith(`/${name}`))
    expect(places).not.toEqual([])
  })

  it('has a row for every package in its table of layers', () => {
    const rows = [...text.matchAll(/^\| (?:L\d|dev) \| `(\w+)` \|/gm)].map((match) => match[1])
    expect(new Set(rows)).toEqual(new Set(readdirSync(join(root, 'packages'))))
  })
})
