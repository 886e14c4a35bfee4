import { decodeUtf8, encodeUtf8, fromHex, toHex } from '@breakwater/core'
import {
  Code,
  decodeMessage,
  encodeFrame,
  encodeMessage,
  findOption,
  formatCode,
  formatMethod,
  FrameReader,
  isRequest,
  isSignal,
  Method,
  OptionNumber,
  optionDefinition,
  SignalCode,
  stringOption,
  uintOption,
  uintValue
} from '@breakwater/coap'
import type { CoapOption, MessageType } from '@breakwater/coap'

/**
 * Messages as the figures of the RFCs write them: type, [Message ID], code, (token), options, payload.
 *
 *     CON [7d34] GET (20) /temperature Observe=0
 *     ACK [7d34] 2.05 (20) Max-Age=15 "22.3 C"
 *     RST [7d34]
 *     NON [0001] PUT #9999=0102
 *     CON [1234] PUT /options 1:0/1/128 <128>
 *
 * Options by name (`If-Match=`, `Hop-Limit=16`) or number; blocks as RFC 7959 §3 writes them; `<128>`
 * stands for a payload of 128 bytes that nobody wants to read. `Observe=12*`: a live end may choose another value. Without a type it is a message of a stream.
 */
const types: Readonly<Record<string, MessageType>> = {
  CON: 'confirmable',
  NON: 'non-confirmable',
  ACK: 'acknowledgement',
  RST: 'reset'
}
const shownTypes = new Map(Object.entries(types).map(([short, type]) => [type, short]))

/** Shown as a number; other options show their bytes. */
const uints: ReadonlySet<number> = new Set([
  OptionNumber.observe,
  OptionNumber.maxAge,
  OptionNumber.contentFormat,
  OptionNumber.accept,
  OptionNumber.size1,
  OptionNumber.size2
])

/** What a line says; what it leaves out is undefined. */
export interface Line {
  readonly type: MessageType | undefined
  readonly messageId: string | undefined
  readonly token: string | undefined
  readonly code: number
  readonly options: readonly CoapOption[]
  readonly payload: Uint8Array
  /** `Observe=12*`: options whose value is only what the figure itself sends. */
  readonly anyValue: readonly number[]
  /** `<128>`: only the length of the payload counts. */
  readonly anyPayload: boolean
}

interface Content {
  readonly code: number
  readonly token: Uint8Array
  readonly options: readonly CoapOption[]
  readonly payload: Uint8Array
}

/** Reads a line. `bodies` holds the payloads that have names: `<request>`. */
export function readLine(text: string, bodies: Readonly<Record<string, Uint8Array>> = {}): Line {
  const options: CoapOption[] = []
  let type: MessageType | undefined
  let messageId: string | undefined
  let token: string | undefined
  let code: number = Code.empty
  let payload: Uint8Array = new Uint8Array(0)
  let anyPayload = false
  const anyValue: number[] = []
  for (const part of text.match(/"[^"]*"|\S+/g) ?? [])
    if (types[part] !== undefined) type = types[part]
    else if (part.startsWith('[')) messageId = part.slice(1, -1)
    else if (blockPattern.test(part)) options.push(blockOf(part))
    else if (part.startsWith('<')) {
      payload = bodyOf(part.slice(1, -1), bodies)
      anyPayload = bodies[part.slice(1, -1)] === undefined
    } else if (part.startsWith('(')) token = part.slice(1, -1)
    else if (part.startsWith('"')) payload = encodeUtf8(part.slice(1, -1))
    else if (part.startsWith('/')) options.push(...pathOf(part))
    else if (part.includes('=')) {
      const isAnyValue = /=[0-9a-f]*\*$/.test(part)
      const option = optionOf(isAnyValue ? part.slice(0, -1) : part)
      options.push(option)
      if (isAnyValue) anyValue.push(option.number)
    } else code = codeOf(part)
  return { type, messageId, token, code, options, payload, anyValue, anyPayload }
}

function bodyOf(name: string, bodies: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const body = bodies[name]
  if (body !== undefined) return body
  if (!/^\d+$/.test(name)) throw new Error(`no body <${name}>`)
  return new Uint8Array(Number(name)).fill(0x78)
}

/** The datagram of a line. */
export function wire(text: string): Uint8Array {
  const read = readLine(text)
  if (read.type === undefined) throw new Error(`no type of message: ${text}`)
  const messageId = Number.parseInt(read.messageId ?? '', 16)
  return encodeMessage({ ...contentOf(read), type: read.type, messageId })
}

/** The frame of a line on a stream: `GET (20) /temperature`, `CSM #2=0480`, `PING (42)`, `EMPTY`. */
export function frame(text: string): Uint8Array {
  return encodeFrame(contentOf(readLine(text)))
}

function contentOf({ code, token = '', options, payload }: Line): Content {
  return { code, token: fromHex(token), options, payload }
}

const blockPattern = /^([12]):(\d+)\/([01])\/(\d+|BERT)$/

function blockOf(part: string): CoapOption {
  const [, kind = '', number = '', more = '', size = ''] = blockPattern.exec(part) ?? []
  const exponent = size === 'BERT' ? 7 : Math.log2(Number(size)) - 4
  const value = Number(number) * 16 + Number(more) * 8 + exponent
  return uintOption(kind === '1' ? OptionNumber.block1 : OptionNumber.block2, value)
}

function showBlock(kind: number, bytes: Uint8Array): string {
  const value = uintValue(bytes)
  const size = (value & 7) === 7 ? 'BERT' : String(16 << (value & 7))
  return `${kind}:${value >> 4}/${(value >> 3) & 1}/${size}`
}

function pathOf(part: string): CoapOption[] {
  return part
    .slice(1)
    .split('/')
    .map((segment) => stringOption(OptionNumber.uriPath, segment))
}

function optionOf(part: string): CoapOption {
  const at = part.indexOf('=')
  const [name, value] = [part.slice(0, at), part.slice(at + 1)]
  if (name.startsWith('#')) return { number: Number(name.slice(1)), value: fromHex(value) }
  const number = Object.values(OptionNumber).find((candidate) => optionDefinition(candidate)?.name === name)
  if (number === undefined) throw new Error(`no option ${name}`)
  const format = optionDefinition(number)?.format
  if (format === 'uint') return uintOption(number, Number(value))
  return format === 'string' ? stringOption(number, value) : { number, value: fromHex(value) }
}

const signals: Readonly<Record<string, number>> = {
  EMPTY: Code.empty,
  CSM: SignalCode.csm,
  PING: SignalCode.ping,
  PONG: SignalCode.pong,
  RELEASE: SignalCode.release,
  ABORT: SignalCode.abort
}

function codeOf(part: string): number {
  const signal = signals[part]
  if (signal !== undefined) return signal
  const method = Object.values(Method).find((candidate) => formatMethod(candidate) === part)
  if (method !== undefined) return method
  const [family, detail] = part.split('.')
  return Number(family) * 32 + Number(detail)
}

/** The line of a datagram. */
export function line(bytes: Uint8Array): string {
  const message = decodeMessage(bytes)
  const { type, code, messageId } = message
  const parts = [showType(type), `[${messageId.toString(16).padStart(4, '0')}]`]
  if (code !== Code.empty) parts.push(isRequest(code) ? formatMethod(code) : formatCode(code))
  return [...parts, ...showContent(message)].join(' ')
}

/** The lines of what was written to a stream in one piece. */
export function frameLines(bytes: Uint8Array): string[] {
  const reader = new FrameReader(1_000_000)
  reader.feed(bytes)
  const lines: string[] = []
  for (let message = reader.next(); message !== undefined; message = reader.next())
    lines.push([showCode(message.code), ...showContent(message)].join(' '))
  return lines
}

/** `CON`. */
export function showType(type: MessageType): string {
  return shownTypes.get(type) ?? ''
}

/** `GET`, `2.05`, `CSM`. */
export function showCode(code: number): string {
  const signal = Object.entries(signals).find(([, value]) => value === code)
  if (signal !== undefined) return signal[0]
  return isRequest(code) ? formatMethod(code) : formatCode(code)
}

function showContent({ code, token, options, payload }: Content): string[] {
  const parts: string[] = []
  if (token.length > 0) parts.push(`(${toHex(token)})`)
  if (isSignal(code)) parts.push(...options.map(({ number, value }) => `#${number}=${toHex(value)}`))
  else parts.push(...showOptions(options))
  if (payload.length > 0) parts.push(showPayload(payload))
  return parts
}

/** The path, then the others in the order given. */
export function showOptions(options: readonly CoapOption[]): string[] {
  const path = options.filter(({ number }) => number === OptionNumber.uriPath)
  const others = options.filter(({ number }) => number !== OptionNumber.uriPath)
  const parts = others.map((option) => showOption(option))
  return path.length === 0 ? parts : [path.map(({ value }) => `/${decodeUtf8(value)}`).join(''), ...parts]
}

/** A text, its length where it is too long to read, or its bytes where it is none. */
export function showPayload(payload: Uint8Array): string {
  if (payload.length > 60) return `<${payload.length}>`
  try {
    return `"${decodeUtf8(payload)}"`
  } catch {
    return `<${toHex(payload)}>`
  }
}

function showOption({ number, value }: CoapOption): string {
  if (number === OptionNumber.block1) return showBlock(1, value)
  if (number === OptionNumber.block2) return showBlock(2, value)
  return uints.has(number)
    ? `${optionDefinition(number)?.name ?? ''}=${uintValue(value)}`
    : `#${number}=${toHex(value)}`
}

/** The Message ID of a datagram. */
export function messageIdOf(bytes: Uint8Array): number {
  return decodeMessage(bytes).messageId
}

/** The Observe option of a datagram. */
export function observeOf(bytes: Uint8Array): number | undefined {
  const option = findOption(decodeMessage(bytes).options, OptionNumber.observe)
  return option === undefined ? undefined : uintValue(option.value)
}
