import { Instant, Seconds, after, formatIpAddress, inSeconds } from '@breakwater/core'
import { address } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { MOST_ADDRESSES_PER_NAME } from '../../../src/client/names/name-memory.ts'
import type { RememberedName } from '../../../src/client/names/name-memory.ts'
import type { NameOutcome } from '../../../src/client/names/name-outcome.ts'
import { MOST_QUESTIONS } from '../../../src/client/names/name-questions.ts'
import { MOST_NAMES, NameWatch } from '../../../src/client/names/name-watch.ts'
import { ProtectionId } from '../../../src/domain/identifier.ts'

const WWW = 'www.example.net'

/** A watch with a clock, and a resolver that says at once what it is told to say; silent where it is told nothing. */
class WatchedNames {
  readonly watch = new NameWatch()
  readonly answers = new Map<string, NameOutcome>()
  readonly asked: string[] = []
  readonly stored = new Map<string, RememberedName | undefined>()
  told = 0
  now = Instant(0)

  hold(protection: string, ...names: string[]): void {
    this.watch.handle({ kind: 'hold', protection: ProtectionId(protection), names }, this.now)
    this.#drain()
  }

  restore(...names: (readonly [string, RememberedName])[]): void {
    this.watch.handle({ kind: 'remembered', names: new Map(names) }, this.now)
    this.#drain()
  }

  addresses(name = WWW): string[] {
    return this.watch.standing(name).addresses.map((each) => formatIpAddress(each))
  }

  advance(seconds: number): void {
    const end = after(this.now, Seconds(seconds))
    for (
      let next = this.watch.nextTimeout();
      next !== undefined && next <= end;
      next = this.watch.nextTimeout()
    ) {
      this.now = next
      this.watch.handleTimeout(next)
      this.#drain()
    }
    this.now = end
  }

  #drain(): void {
    for (let output = this.watch.poll(); output !== undefined; output = this.watch.poll()) {
      if (output.kind === 'changed') this.told++
      if (output.kind === 'remember') this.stored.set(output.name, output.record)
      if (output.kind !== 'ask') continue
      this.asked.push(`${inSeconds((this.now - 0) as ReturnType<typeof Seconds>)} ${output.name}`)
      const outcome = this.answers.get(output.name)
      if (outcome === undefined) continue
      this.watch.handle({ kind: 'answered', question: output.question, outcome }, this.now)
    }
  }
}

function answer(ttlSeconds: number, ...addresses: string[]): NameOutcome {
  return { kind: 'addresses', addresses: addresses.map(address), ttlSeconds }
}

const FAILED: NameOutcome = { kind: 'failed', reason: 'no answer in time' }

describe('the watch over the names of protections', () => {
  it('asks for a name once for all that name it, and again when its answer is no longer good', () => {
    const names = new WatchedNames()
    names.answers.set(WWW, answer(60, '198.51.100.7'))
    names.hold('p-1', WWW)
    names.hold('p-2', WWW)
    names.advance(120)
    expect(names.asked).toEqual([`0 ${WWW}`, `60 ${WWW}`, `120 ${WWW}`])
    expect(names.told).toBe(1)
  })

  it('asks no more often than every 30 seconds for a TTL of 0, and no less often than every hour', () => {
    const names = new WatchedNames()
    names.answers.set(WWW, answer(0, '198.51.100.7'))
    names.answers.set('slow.example', answer(Infinity, '198.51.100.8'))
    names.hold('p-1', WWW, 'slow.example')
    names.advance(3600)
    expect(names.asked.filter((text) => text.endsWith(WWW))).toHaveLength(121)
    expect(names.asked.filter((text) => text.endsWith('slow.example'))).toHaveLength(2)
  })

  it('keeps an address that an answer leaves out for as long as others may remember it', () => {
    const names = new WatchedNames()
    names.answers.set(WWW, answer(300, '198.51.100.7'))
    names.hold('p-1', WWW)
    names.answers.set(WWW, answer(60, '100.64.7.7'))
    names.advance(300)
    expect(names.addresses()).toEqual(['100.64.7.7', '198.51.100.7'])
    names.advance(314)
    expect(names.addresses()).toEqual(['100.64.7.7', '198.51.100.7'])
    names.advance(1)
    expect(names.addresses()).toEqual(['100.64.7.7'])
    expect(names.told).toBe(3)
  })

  it('tells of nothing while answers take turns among the same addresses', () => {
    const names = new WatchedNames()
    names.answers.set(WWW, answer(60, '198.51.100.1', '198.51.100.2'))
    names.hold('p-1', WWW)
    for (let turn = 0; turn < 10; turn++) {
      names.answers.set(WWW, answer(60, `198.51.100.${1 + (turn % 2)}`))
      names.advance(60)
    }
    expect(names.addresses()).toEqual(['198.51.100.1', '198.51.100.2'])
    expect(names.told).toBe(1)
  })

  it.each<[string, NameOutcome, string]>([
    ['a resolver that fails', FAILED, 'no answer in time'],
    [
      'one that says that there is no such name',
      { kind: 'no-such-name', ttlSeconds: 60 },
      'there is no such name'
    ],
    ['an answer without addresses', answer(60), 'it has no address'],
    [
      'an answer with too many',
      answer(60, ...Array.from({ length: MOST_ADDRESSES_PER_NAME + 1 }, (_, at) => `198.51.100.${at}`)),
      `it has 65 addresses, and more than 64 are not believed`
    ]
  ])('%s takes nothing away, and is asked again later each time', (_title, outcome, text) => {
    const names = new WatchedNames()
    names.answers.set(WWW, answer(60, '198.51.100.7'))
    names.hold('p-1', WWW)
    names.answers.set(WWW, outcome)
    names.advance(60 + 5 + 10 + 20 + 40 + 80 + 160 + 300 + 300)
    expect(names.asked.map((each) => Number(each.split(' ')[0]))).toEqual([
      0, 60, 65, 75, 95, 135, 215, 375, 675, 975
    ])
    expect(names.addresses()).toEqual(['198.51.100.7'])
    expect(names.watch.standing(WWW)).toMatchObject({ state: 'kept', text })
    expect(names.told).toBe(2)
  })

  it('does not wait for ever for a resolver that never ends', () => {
    const names = new WatchedNames()
    names.hold('p-1', WWW)
    expect(names.watch.standing(WWW).state).toBe('resolving')
    names.advance(15)
    expect(names.watch.standing(WWW)).toMatchObject({
      state: 'unresolved',
      text: 'the resolver gave no answer'
    })
    names.answers.set(WWW, answer(60, '198.51.100.7'))
    names.advance(5)
    expect(names.watch.standing(WWW).state).toBe('resolved')
  })

  it('begins with what an earlier life knew, and forgets what nobody names any more', () => {
    const names = new WatchedNames()
    names.hold('p-1', WWW)
    const lifetime = Seconds(60)
    names.restore(
      [WWW, { addresses: [address('198.51.100.7')], lifetime }],
      ['gone.example', { addresses: [address('198.51.100.8')], lifetime }]
    )
    expect(names.addresses()).toEqual(['198.51.100.7'])
    expect([...names.stored]).toEqual([['gone.example', undefined]])
    names.hold('p-1')
    expect(names.stored.get(WWW)).toBeUndefined()
    names.advance(7200)
    expect(names.asked).toHaveLength(1)
  })

  it('asks a few at a time, the unknown ones first, and none beyond its limit', () => {
    const names = new WatchedNames()
    const many = Array.from({ length: MOST_NAMES }, (_, at) => `n${at}.example`)
    names.hold('p-1', ...many)
    expect(names.asked).toHaveLength(MOST_QUESTIONS)
    names.hold('p-2', WWW)
    expect(names.watch.standing(WWW)).toMatchObject({
      state: 'no-room',
      text: '10000 names are watched already'
    })
    for (const name of many) names.answers.set(name, answer(3600, '198.51.100.7'))
    names.advance(15)
    expect(names.asked).toHaveLength(MOST_NAMES)
    names.advance(5)
    expect(many.every((name) => names.watch.standing(name).state === 'resolved')).toBe(true)
  })

  it('takes a name for which there was no room as soon as there is', () => {
    const names = new WatchedNames()
    const many = Array.from({ length: MOST_NAMES }, (_, at) => `n${at}.example`)
    for (const name of [...many, WWW]) names.answers.set(name, answer(3600, '198.51.100.7'))
    names.hold('p-1', ...many)
    names.hold('p-2', WWW)
    names.hold('p-3', WWW)
    names.hold('p-2')
    expect(names.watch.standing(WWW).state).toBe('no-room')
    names.hold('p-1', ...many.slice(1))
    expect(names.addresses()).toEqual(['198.51.100.7'])
    names.hold('p-3')
    expect(names.stored.get(WWW)).toBeUndefined()
  })

  it('forgets a name for which there was no room when nobody names it any more', () => {
    const names = new WatchedNames()
    const many = Array.from({ length: MOST_NAMES }, (_, at) => `n${at}.example`)
    names.hold('p-1', ...many)
    names.hold('p-2', WWW)
    names.hold('p-2')
    names.hold('p-1')
    names.advance(60)
    expect(names.asked.some((each) => each.endsWith(WWW))).toBe(false)
  })

  it('asks nobody when the client has stopped', () => {
    const names = new WatchedNames()
    names.answers.set(WWW, answer(60, '198.51.100.7'))
    names.hold('p-1', WWW)
    names.watch.handle({ kind: 'stop' }, names.now)
    names.advance(3600)
    expect(names.asked).toHaveLength(1)
  })
})
