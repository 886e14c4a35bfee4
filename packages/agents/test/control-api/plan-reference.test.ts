import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadControlSchemas } from '@breakwater/control'
import { describe, expect, it } from 'vitest'

interface Node {
  readonly type?: unknown
  readonly anyOf?: unknown
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly items?: Node
}

/** `parts[].consents[].until`; what may be left out has a ? behind it. */
function keysOf(node: Node, path = ''): string[] {
  if (node.items !== undefined) return keysOf(node.items, `${path}[]`)
  return Object.entries(node.properties ?? {}).flatMap(([key, value]) => {
    const own = path === '' ? key : `${path}.${key}`
    return [node.required?.includes(key) === true ? own : `${own}?`, ...keysOf(value, own)]
  })
}

describe('docs/reference/plan.md', () => {
  it('has every key of `dots plan --json`, and no other', async () => {
    const { planSchema } = await loadControlSchemas()
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/reference/plan.md'), 'utf8')
    const documented = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, key]) => key)
    expect(documented).toEqual(keysOf(planSchema))
  })
})
