import { Driver, Instant, Seconds, TimerTable, after } from '@breakwater/core'
import type { Machine } from '@breakwater/core'
import { VirtualClock } from '@breakwater/testing'
import { beforeEach, describe, expect, test } from 'vitest'

type Input =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'remind'; readonly text: string; readonly at: Instant }
  | { readonly kind: 'forget'; readonly text: string }
  | { readonly kind: 'break' }

/** Says at once what it is told to say, and later what it is told to remind of. */
class Reminder implements Machine<Input, string> {
  readonly log: string[] = []
  readonly timers = new TimerTable()
  readonly #outputs: string[] = []

  handle(input: Input, now: Instant): void {
    this.log.push(`${input.kind} at ${now}${this.#outputs.length > 0 ? ' undrained' : ''}`)
    switch (input.kind) {
      case 'say':
        this.#outputs.push(...input.text.split(' '))
        return
      case 'remind':
        this.timers.set(input.text, input.at)
        return
      case 'forget':
        this.timers.cancel(input.text)
        return
      case 'break':
        throw new Error('broken')
    }
  }

  poll(): string | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    return this.timers.next()
  }

  handleTimeout(now: Instant): void {
    this.log.push(`timeout at ${now}`)
    for (let due = this.timers.takeDue(now); due !== undefined; due = this.timers.takeDue(now))
      this.#outputs.push(due)
  }
}

let clock: VirtualClock
let machine: Reminder
let performed: string[]

beforeEach(() => {
  clock = new VirtualClock()
  machine = new Reminder()
  performed = []
})

function drive(
  act: (output: string, driver: Driver<Input, string>) => void = () => undefined
): Driver<Input, string> {
  const driver: Driver<Input, string> = new Driver(machine, clock, (output) => {
    performed.push(output)
    act(output, driver)
  })
  return driver
}

const say = (text: string): Input => ({ kind: 'say', text })
const remind = (text: string, milliseconds: number): Input => ({
  kind: 'remind',
  text,
  at: Instant(milliseconds)
})

describe('Driver', () => {
  test('performs every output of an input before feed returns', () => {
    drive().feed(say('one two three'))
    expect(performed).toEqual(['one', 'two', 'three'])
    expect(clock.pending()).toBe(0)
  })

  test('takes inputs from perform after the outputs that came before them', () => {
    const driver = drive((output, self) => {
      if (output === 'one') {
        self.feed(say('four'))
        self.feed(say('five'))
      }
    })
    driver.feed(say('one two three'))
    expect(performed).toEqual(['one', 'two', 'three', 'four', 'five'])
    expect(machine.log).toEqual(['say at 0', 'say at 0', 'say at 0'])
  })

  test('wakes the machine when its timer is due, with the time of then', async () => {
    drive().feed(remind('tea', 3000))
    await clock.advance(Seconds(2.999))
    expect(performed).toEqual([])
    await clock.advance(Seconds(1))
    expect(performed).toEqual(['tea'])
    expect(machine.log.at(-1)).toBe('timeout at 3000')
    expect(clock.pending()).toBe(0)
  })

  test('keeps a single wake-up and moves it with the earliest timer', async () => {
    const driver = drive()
    driver.feed(remind('late', 5000))
    driver.feed(remind('early', 1000))
    driver.feed(remind('middle', 2000))
    expect(clock.pending()).toBe(1)
    driver.feed({ kind: 'forget', text: 'early' })
    expect(clock.nextEvent()).toBe(2000)
    await clock.advance(Seconds(10))
    expect(performed).toEqual(['middle', 'late'])
    expect(machine.log.filter((line) => line.startsWith('timeout'))).toEqual([
      'timeout at 2000',
      'timeout at 5000'
    ])
  })

  test('arms again for a timer that is set while its predecessor fires', async () => {
    const driver = drive((output, self) => {
      if (output === 'tick' && performed.length < 3) self.feed(remind('tick', after(clock.now(), Seconds(1))))
    })
    driver.feed(remind('tick', 1000))
    await clock.advance(Seconds(10))
    expect(performed).toEqual(['tick', 'tick', 'tick'])
    expect(machine.log.findLast((line) => line.startsWith('timeout'))).toBe('timeout at 3000')
  })

  test('start arms a timer that the machine had before its first input', async () => {
    machine.timers.set('restored', Instant(500))
    drive().start()
    await clock.advance(Seconds(1))
    expect(performed).toEqual(['restored'])
  })

  test('stop forgets the wake-up and ignores inputs', async () => {
    const driver = drive()
    driver.feed(remind('never', 1000))
    driver.stop()
    driver.feed(say('nothing'))
    driver.start()
    expect(clock.pending()).toBe(0)
    await clock.advance(Seconds(2))
    expect(performed).toEqual([])
    expect(machine.log).toEqual(['remind at 0'])
  })

  test('stop from perform drops the outputs and inputs behind it and arms nothing', () => {
    const driver = drive((output, self) => {
      self.feed(say('later'))
      if (output === 'stop') self.stop()
    })
    driver.feed(remind('never', 1000))
    driver.feed(say('stop more'))
    expect(performed).toEqual(['stop'])
    expect(machine.log).toEqual(['remind at 0', 'say at 0'])
    expect(clock.pending()).toBe(0)
  })

  test('stop while a timer fires arms nothing', async () => {
    drive((_output, self) => self.stop()).feed(remind('tick', 1000))
    machine.timers.set('next', Instant(2000))
    await clock.advance(Seconds(5))
    expect(performed).toEqual(['tick'])
    expect(clock.pending()).toBe(0)
  })

  test('a throw of perform reaches the caller; what is left is performed in a wake-up, drained before new input', async () => {
    const driver = drive((output) => {
      if (output === 'bad') throw new Error('cannot perform')
    })
    driver.feed(remind('tea', 3000))
    expect(() => driver.feed(say('bad good'))).toThrow('cannot perform')
    expect(performed).toEqual(['bad'])
    await clock.advance(Seconds(0))
    expect(performed).toEqual(['bad', 'good'])
    await clock.advance(Seconds(3))
    expect(performed).toEqual(['bad', 'good', 'tea'])
    expect(machine.log.some((line) => line.endsWith('undrained'))).toBe(false)
  })

  test('an input that comes before that wake-up finds the machine drained', () => {
    const driver = drive((output) => {
      if (output === 'bad') throw new Error('cannot perform')
    })
    expect(() => driver.feed(say('bad good'))).toThrow('cannot perform')
    driver.feed(say('more'))
    expect(performed).toEqual(['bad', 'good', 'more'])
    expect(machine.log).toEqual(['say at 0', 'say at 0'])
    expect(clock.pending()).toBe(0)
  })

  test('what comes together has one time and moves the wake-up once', async () => {
    const driver = drive()
    let asked = 0
    clock.now = () => Instant(++asked)
    driver.together(() => {
      driver.feed(remind('late', 5000))
      driver.feed(remind('early', 1000))
      expect(clock.pending()).toBe(0)
      driver.together(() => driver.feed(say('hello')))
    })
    expect(machine.log).toEqual(['remind at 1', 'remind at 1', 'say at 1'])
    expect(performed).toEqual(['hello'])
    expect(clock.pending()).toBe(1)
    expect(clock.nextEvent()).toBe(1000)
  })

  test('what a throw leaves of something that came together is performed in a wake-up', async () => {
    const driver = drive((output) => {
      if (output === 'bad') throw new Error('cannot perform')
    })
    expect(() =>
      driver.together(() => {
        driver.feed(remind('tea', 3000))
        driver.feed(say('bad good'))
      })
    ).toThrow('cannot perform')
    await clock.advance(Seconds(3))
    expect(performed).toEqual(['bad', 'good', 'tea'])
  })

  test('what comes together while outputs are performed waits for them', () => {
    const driver = drive((output, self) => {
      if (output === 'one') self.together(() => self.feed(say('three')))
    })
    driver.feed(say('one two'))
    expect(performed).toEqual(['one', 'two', 'three'])
  })

  test('stop within what comes together arms nothing', () => {
    const driver = drive()
    driver.together(() => {
      driver.feed(remind('never', 1000))
      driver.stop()
    })
    expect(clock.pending()).toBe(0)
  })

  test('a throw of the machine costs that input only', async () => {
    const driver = drive((output, self) => {
      if (output !== 'go') return
      self.feed({ kind: 'break' })
      self.feed(say('still here'))
    })
    expect(() => driver.feed(say('go'))).toThrow('broken')
    await clock.advance(Seconds(0))
    expect(performed).toEqual(['go', 'still', 'here'])
  })
})
