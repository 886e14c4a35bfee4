import { after, type Duration, equalBytes, Instant } from '@breakwater/core'
import { Code, decodeMessage, emptyOption, encodeFrame, encodeMessage, FrameReader } from '@breakwater/coap'
import type { CoapMessage, CoapOption, StreamMessage } from '@breakwater/coap'
import { type FigureStep, readFigure, type Side } from './figure.ts'
import { Identities, otherSide } from './identities.ts'
import { type Line, readLine, showCode, showOptions, showType } from './notation.ts'

/** One end of a figure that is alive: bytes in, bytes out, and time. */
export interface LockstepEnd {
  /** A datagram or a frame comes. */
  receive(bytes: Uint8Array, now: Instant): void
  /** The next datagram or frame that it has sent, in order. */
  sent(): Uint8Array | undefined
  nextTimeout(): Instant | undefined
  handleTimeout(now: Instant): void
}

export interface FigureParts {
  /** Who is alive. The figure itself plays the others. */
  readonly client?: LockstepEnd
  readonly server?: LockstepEnd
  /** What `{name}` does. */
  readonly acts?: Readonly<Record<string, (now: Instant) => void>>
  /** The payloads that have names: `<request>`. */
  readonly bodies?: Readonly<Record<string, Uint8Array>>
  /** Options that a live end may add to what the figure shows. */
  readonly besides?: readonly number[]
  readonly startsAt?: Instant
}

/**
 * Plays a figure in lockstep: each live end must send exactly the messages that the figure shows, in its order, and
 * nothing else, and gets those of the other side. With both ends alive the figure is only the judge.
 * @throws Error that shows the figure's line beside what was sent.
 * @returns The moment after its last line.
 */
export function playFigure(text: string, parts: FigureParts): Instant {
  const play = new Play(parts)
  for (const step of readFigure(text)) play.step(step)
  play.expectSilence('the end')
  return play.now
}

class Play {
  now: Instant
  readonly #parts: FigureParts
  readonly #identities = new Identities()

  constructor(parts: FigureParts) {
    this.#parts = parts
    this.now = parts.startsAt ?? Instant(0)
  }

  step(step: FigureStep): void {
    switch (step.kind) {
      case 'message':
        this.#message(step.from, step.text, step.lost)
        return
      case 'time':
        this.expectSilence('time passes')
        this.#pass(step.duration)
        return
      case 'act': {
        const act = this.#parts.acts?.[step.name]
        if (act === undefined) throw new Error(`nothing to do for {${step.name}}`)
        act(this.now)
      }
    }
  }

  #message(from: Side, text: string, lost: boolean): void {
    const line = readLine(text, this.#parts.bodies)
    const sender = this.#parts[from]
    const bytes = sender === undefined ? this.#compose(from, line) : this.#expect(from, text, line, sender)
    if (!lost) this.#parts[otherSide(from)]?.receive(bytes, this.now)
  }

  #compose(from: Side, line: Line): Uint8Array {
    const { type, code, options, payload } = line
    const { messageId, token } = this.#identities.draw(from, line)
    if (type === undefined) return encodeFrame({ code, token, options, payload })
    return encodeMessage({ type, code, messageId, token, options, payload })
  }

  #expect(from: Side, text: string, line: Line, sender: LockstepEnd): Uint8Array {
    const bytes = sender.sent()
    if (bytes === undefined) throw new Error(`the ${from} is silent, where the figure says\n  ${text}`)
    const message = decode(bytes, line.type !== undefined)
    const expected = show(line, [], line.anyValue)
    const actual = show(message, this.#parts.besides ?? [], line.anyValue)
    if (expected !== actual || !hasPayloadOf(line, message.payload))
      throw new Error(`the ${from} sends\n  ${actual}\nwhere the figure says\n  ${expected}\n  (${text})`)
    const fault = this.#identities.faultOf(from, line, { messageId: 0, ...message })
    if (fault !== undefined) throw new Error(`the ${from} sends ${actual} with ${fault}`)
    return bytes
  }

  #pass(duration: Duration): void {
    const end = after(this.now, duration)
    for (let next = this.#next(); next !== undefined && next <= end; next = this.#next()) {
      this.now = next
      this.#parts.client?.handleTimeout(next)
      this.#parts.server?.handleTimeout(next)
    }
    this.now = end
  }

  #next(): Instant | undefined {
    const moments = [this.#parts.client?.nextTimeout(), this.#parts.server?.nextTimeout()]
    const due = moments.filter((moment) => moment !== undefined)
    return due.length === 0 ? undefined : Instant(Math.max(this.now, Math.min(...due)))
  }

  expectSilence(when: string): void {
    for (const side of ['client', 'server'] as const) {
      const bytes = this.#parts[side]?.sent()
      if (bytes !== undefined) throw new Error(`before ${when} the ${side} sends more: ${dump(bytes)}`)
    }
  }
}

type Decoded = StreamMessage | CoapMessage

function decode(bytes: Uint8Array, isDatagram: boolean): Decoded {
  if (isDatagram) return decodeMessage(bytes)
  const reader = new FrameReader(1_000_000)
  reader.feed(bytes)
  const message = reader.next()
  if (message === undefined || reader.waiting > 0) throw new Error('what was sent is not one frame')
  return message
}

function hasPayloadOf(line: Line, payload: Uint8Array): boolean {
  return line.anyPayload ? line.payload.length === payload.length : equalBytes(line.payload, payload)
}

function dump(bytes: Uint8Array): string {
  try {
    return show(decodeMessage(bytes), [], [])
  } catch {
    return `${bytes.length} bytes`
  }
}

interface Shown {
  readonly type?: CoapMessage['type'] | undefined
  readonly code: number
  readonly options: readonly CoapOption[]
  readonly payload: Uint8Array
}

function show(
  { type, code, options, payload }: Shown,
  besides: readonly number[],
  anyValue: readonly number[]
): string {
  const shown = options
    .filter(({ number }) => !besides.includes(number))
    .map((option) => (anyValue.includes(option.number) ? emptyOption(option.number) : option))
  const sorted = shown.toSorted((a, b) => a.number - b.number)
  return [
    ...(type === undefined ? [] : [showType(type)]),
    ...(code === Code.empty && type !== undefined ? [] : [showCode(code)]),
    ...showOptions(sorted),
    ...(payload.length > 0 ? [`<${payload.length}>`] : [])
  ].join(' ')
}
