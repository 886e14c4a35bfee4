import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { entryOf, eventCatalogue } from '../../src/log/event-catalogue.ts'

const packages = join(import.meta.dirname, '../../..')

/** Every call of a log in the sources of the suite: level and event; `*` where the event is put together. */
function calls(): { readonly level: string; readonly event: string }[] {
  return (
    readdirSync(packages)
      .flatMap((name) =>
        readdirSync(join(packages, name, 'src'), { recursive: true, encoding: 'utf8' })
          .filter((file) => file.endsWith('.ts'))
          .map((file) => readFileSync(join(packages, name, 'src', file), 'utf8'))
      )
      .flatMap((text) => [
        ...text.matchAll(/\b#?log\??\.(debug|info|warn|error)\(\s*(?:'([^']+)'|`([^`]+)`)/g)
      ])
      .map(([, level = '', plain, template]) => ({
        level,
        event: plain ?? (template ?? '').replaceAll(/\$\{[^}]*\}/g, '*')
      }))
      // The example in the documentation of the interface.
      .filter(({ event }) => event !== 'mitigation.activated')
  )
}

function matches(event: string, pattern: string): boolean {
  const [start = '', end = ''] = pattern.split('*')
  return pattern.includes('*') ? event.startsWith(start) && event.endsWith(end) : event === pattern
}

describe('the catalogue of events', () => {
  it('has every event that the sources log, at the level at which they log it', () => {
    const found = calls()
    expect(found.length).toBeGreaterThan(20)
    const unknown = found.filter(
      ({ level, event }) =>
        !Object.entries(eventCatalogue).some(([name, entry]) => matches(name, event) && entry.level === level)
    )
    expect(unknown).toEqual([])
  })

  it('has no event that nobody logs', () => {
    const found = calls()
    const unused = Object.keys(eventCatalogue).filter(
      (name) => !found.some(({ event }) => matches(name, event))
    )
    expect(unused).toEqual([])
  })

  it('takes an unknown event for its own text, also one that is called like a part of every object', () => {
    expect(entryOf('constructor').text).toBe('constructor')
  })
})
