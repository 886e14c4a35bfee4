import { globSync, readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

const text = readFileSync('docs/conformance/broken-once.tsv', 'utf8')
const rows = text
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('\t'))

/** The ids in the titles of tests; one that stands at a `describe` proves nothing. */
function tagsOfTests(): Set<string> {
  const files = globSync('{conformance,interop,e2e,lab,hostile,sim,crash,packages/*/test}/**/*.test.ts')
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n'))
  const titles = lines.filter((line) => !/^\s*(?:describe|\/\/|\/?\*)/.test(line))
  return new Set(
    titles.flatMap((line) => [...line.matchAll(/\[(RFC\d+-[0-9.]+-[MSO]\d+)\]/g)].map(([, id = '']) => id))
  )
}

describe('the statements that were broken on purpose', () => {
  it('are each named by a test', () => {
    const tags = tagsOfTests()
    expect(tags.size).toBeGreaterThan(300)
    expect(rows.map(([id = '']) => id).filter((id) => !tags.has(id))).toEqual([])
  })

  it('stand once, with what was broken', () => {
    const ids = rows.map(([id]) => id)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
    expect(rows.filter((cells) => cells.length !== 2 || (cells[1] ?? '').trim().length < 5)).toEqual([])
  })

  it('are as many as the page says', () => {
    const page = readFileSync('docs/conformance/broken-once.md', 'utf8')
    expect(page).toContain(`taken back: ${rows.length} of `)
  })
})
