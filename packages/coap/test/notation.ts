import { decodeUtf8, encodeUtf8, fromHex, toHex } from '@breakwater/core'
import {
  Code,
  decodeMessage,
  encodeFrame,
  encodeMessage,
  findOption,
  FrameReader,
  isSignal,
  Method,
  SignalCode,
  uintOption,
  uintValue
} from '../src/index.ts'
import {
  isRequest,
  formatCode,
  formatMethod,
  OptionNumber,
  optionDefinition,
  stringOption
} from '../src/index.ts'
import type { CoapOption, MessageType } from '../src/index.ts'

/**
 * Messages as the figures of the RFCs write them: type, [Message ID], code, (token), options, payload.
 *
 *     CON [7d34] GET (20) /temperature Observe=0
 *     ACK [7d34] 2.05 (20) Max-Age=15 "22.3 C"
 *     RST [7d34]
 *     NON [0001] PUT #9999=0102
 *     CON [1234] PUT /options 1:0/1/128 <128>
 *
 * Blocks as RFC 7959 §3 writes them; `<128>` stands for a payload of 128 bytes that nobody wants to read.
 */
const types: Readonly<Record<string, MessageType>> = {
  CON: 'confirmable',
  NON: 'non-confirmable',
  ACK: 'acknowledgement',
  RST: 'reset'
}
const shown = new Map(Object.entries(types).map(([short, type]) => [type, short]))
const uints = [
  OptionNumber.observe,
  OptionNumber.maxAge,
  OptionNumber.contentFormat,
  OptionNumber.accept,
  OptionNumber.size1,
  OptionNumber.size2
]

interface Content {
  readonly code: number
  readonly token: Uint8Array
  readonly options: readonly CoapOption[]
  readonly payload: Uint8Array
}

/** The datagram of a line. */
export function wire(text: string): Uint8Array {
  const [type = '', id = '', ...rest] = partsOf(text)
  const messageId = Number.parseInt(id.slice(1, -1), 16)
  const known = types[type]
  if (known === undefined) throw new Error(`no type of message: ${text}`)
  return encodeMessage({ type: known, messageId, ...contentOf(rest) })
}

/** The frame of a line on a stream: `GET (20) /temperature`, `CSM #2=0480`, `PING (42)`, `EMPTY`. */
export function frame(text: string): Uint8Array {
  return encodeFrame(contentOf(partsOf(text)))
}

function partsOf(text: string): readonly string[] {
  return text.match(/"[^"]*"|\S+/g) ?? []
}

function contentOf(parts: readonly string[]): Content {
  const options: CoapOption[] = []
  let code: number = Code.empty
  let token = new Uint8Array(0)
  let payload = new Uint8Array(0)
  for (const part of parts)
    if (blockPattern.test(part)) options.push(blockOf(part))
    else if (part.startsWith('<')) payload = new Uint8Array(Number(part.slice(1, -1))).fill(0x78)
    else if (part.startsWith('(')) token = fromHex(part.slice(1, -1)).slice()
    else if (part.startsWith('"')) payload = encodeUtf8(part.slice(1, -1)).slice()
    else if (part.startsWith('/')) options.push(...pathOf(part))
    else if (part.includes('=')) options.push(optionOf(part))
    else code = codeOf(part)
  return { code, token, options, payload }
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
  const [name = '', value = ''] = part.split('=')
  if (name.startsWith('#')) return { number: Number(name.slice(1)), value: fromHex(value) }
  const number = uints.find((candidate) => optionDefinition(candidate)?.name === name)
  if (number === undefined) throw new Error(`no option ${name}`)
  return uintOption(number, Number(value))
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
  const parts = [shown.get(type) ?? '', `[${messageId.toString(16).padStart(4, '0')}]`]
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

function showCode(code: number): string {
  const signal = Object.entries(signals).find(([, value]) => value === code)
  if (signal !== undefined) return signal[0]
  return isRequest(code) ? formatMethod(code) : formatCode(code)
}

function showContent({ code, token, options, payload }: Content): string[] {
  const parts: string[] = []
  if (token.length > 0) parts.push(`(${toHex(token)})`)
  if (isSignal(code)) parts.push(...options.map(({ number, value }) => `#${number}=${toHex(value)}`))
  else {
    const path = options.filter(({ number }) => number === OptionNumber.uriPath)
    if (path.length > 0) parts.push(path.map(({ value }) => `/${decodeUtf8(value)}`).join(''))
    for (const option of options) if (option.number !== OptionNumber.uriPath) parts.push(showOption(option))
  }
  if (payload.length > 0) parts.push(showPayload(payload))
  return parts
}

/** A text, or its length where it is too long to read. */
export function showPayload(payload: Uint8Array): string {
  return payload.length > 60 ? `<${payload.length}>` : `"${decodeUtf8(payload)}"`
}

function showOption({ number, value }: CoapOption): string {
  if (number === OptionNumber.block1) return showBlock(1, value)
  if (number === OptionNumber.block2) return showBlock(2, value)
  return uints.some((candidate) => candidate === number)
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
