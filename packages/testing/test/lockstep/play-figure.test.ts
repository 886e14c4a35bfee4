import { after, Instant, Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { type LockstepEnd, playFigure, wire } from '../../src/index.ts'

/** An end that answers each datagram with the next of its lines, and says one more after ten seconds. */
class Parrot implements LockstepEnd {
  readonly heard: number[] = []
  readonly #lines: string[]
  readonly #sent: Uint8Array[] = []
  #late: string | undefined

  constructor(lines: readonly string[], late?: string) {
    this.#lines = [...lines]
    this.#late = late
  }

  receive(bytes: Uint8Array): void {
    this.heard.push(bytes.length)
    const next = this.#lines.shift()
    if (next !== undefined) this.#sent.push(wire(next))
  }

  sent(): Uint8Array | undefined {
    return this.#sent.shift()
  }

  nextTimeout(): Instant | undefined {
    return this.#late === undefined ? undefined : after(Instant(0), Seconds(10))
  }

  handleTimeout(now: Instant): void {
    if (this.#late === undefined || now < Seconds(10)) return
    this.#sent.push(wire(this.#late))
    this.#late = undefined
  }
}

const ask = 'CON [1234] GET (20) /x   ----->'
const play = (server: LockstepEnd, answer: string): unknown =>
  playFigure(`${ask}\n<----- ${answer}`, { server })

const end = (second: string): Parrot => new Parrot(['CON [7777] 2.05 (20)', second])
const two = (first: string, then: string, server: Parrot): unknown =>
  playFigure(`${ask}\n<---- CON [${first}] 2.05\nNON GET ---->\n<---- CON [${then}] 2.05 (20)`, { server })

describe('a figure in lockstep', () => {
  it('passes what it shows', () => {
    expect(() => play(new Parrot(['ACK [1234] 2.05 (20) "a"']), 'ACK [1234] 2.05 (20) "a"')).not.toThrow()
    expect(() => play(new Parrot(['ACK [1234] 2.05 (20) "a"']), 'ACK 2.05 "a"')).not.toThrow()
    expect(() =>
      play(new Parrot(['ACK [1234] 2.05 (20) Observe=7 "a"']), 'ACK 2.05 Observe=1* <1>')
    ).not.toThrow()
  })

  it.each([
    ['another type', 'NON [1234] 2.05 (20) "a"'],
    ['another code', 'ACK [1234] 2.04 (20) "a"'],
    ['another payload', 'ACK [1234] 2.05 (20) "b"'],
    ['an option too many', 'ACK [1234] 2.05 (20) Observe=1 "a"'],
    ['another Message ID', 'ACK [1235] 2.05 (20) "a"'],
    ['another token', 'ACK [1234] 2.05 (21) "a"']
  ])('fails on %s', (_, sent) => {
    expect(() => play(new Parrot([sent]), 'ACK [1234] 2.05 (20) "a"')).toThrow('the server sends')
    expect(() => play(new Parrot([sent]), 'ACK 2.05 "a"')).toThrow('the server sends')
  })

  it('fails on silence, and on words too many', () => {
    expect(() => play(new Parrot([]), 'ACK 2.05')).toThrow('the server is silent')
    expect(() => playFigure(ask, { server: new Parrot(['ACK [1234] 2.05 (20)']) })).toThrow(
      'sends more: ACK 2.05'
    )
    const late = new Parrot(['ACK [1234] 2.05 (20)'], 'NON [0001] 2.05 (20)')
    expect(() => playFigure(`${ask}\n<---- ACK 2.05\n… 11 s`, { server: late })).toThrow(
      'sends more: NON 2.05'
    )
  })

  it('names stay with what a live end has drawn', () => {
    expect(() => two('aa', 'aa', end('CON [7777] 2.05 (20)'))).not.toThrow()
    expect(() => two('aa', 'aa', end('CON [7778] 2.05 (20)'))).toThrow('Message ID')
    expect(() => two('aa', 'bb', end('CON [7778] 2.05 (20)'))).not.toThrow()
    expect(() => two('aa', 'bb', end('CON [7777] 2.05 (20)'))).toThrow('for another message')
  })

  it('loses what is crossed out, between live ends, too', () => {
    const server = new Parrot(['ACK [1234] 2.05 (20)'])
    playFigure('CON [1234] GET (20) ----X\nCON [1234] GET (20) ---->\nX---- ACK [1234] 2.05 (20)', { server })
    expect(server.heard).toHaveLength(1)
  })

  it('says what it cannot read', () => {
    expect(() => playFigure('what?', {})).toThrow('no step of a figure: what?')
    expect(() => playFigure('{act}', {})).toThrow('{act}')
    expect(() => playFigure('GET <body> ---->', {})).toThrow('no body <body>')
    expect(() => playFigure('GET Nonsense=1 ---->', {})).toThrow('no option Nonsense')
  })
})
