import { decodeUtf8, encodeUtf8, fromHex, toHex } from '@breakwater/core'
import {
  Code,
  decodeMessage,
  encodeMessage,
  findOption,
  Method,
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
 */
const types: Readonly<Record<string, MessageType>> = {
  CON: 'confirmable',
  NON: 'non-confirmable',
  ACK: 'acknowledgement',
  RST: 'reset'
}
const shown = new Map(Object.entries(types).map(([short, type]) => [type, short]))
const uints = [OptionNumber.observe, OptionNumber.maxAge, OptionNumber.contentFormat, OptionNumber.accept]

/** The datagram of a line. */
export function wire(text: string): Uint8Array {
  const parts = text.match(/"[^"]*"|\S+/g) ?? []
  const [type = '', id = '', ...rest] = parts
  const options: CoapOption[] = []
  let code: number = Code.empty
  let token = new Uint8Array(0)
  let payload = new Uint8Array(0)
  for (const part of rest)
    if (part.startsWith('(')) token = fromHex(part.slice(1, -1)).slice()
    else if (part.startsWith('"')) payload = encodeUtf8(part.slice(1, -1)).slice()
    else if (part.startsWith('/')) options.push(...pathOf(part))
    else if (part.includes('=')) options.push(optionOf(part))
    else code = codeOf(part)
  const messageId = Number.parseInt(id.slice(1, -1), 16)
  const known = types[type]
  if (known === undefined) throw new Error(`no type of message: ${text}`)
  return encodeMessage({ type: known, code, messageId, token, options, payload })
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

function codeOf(part: string): number {
  const method = Object.values(Method).find((candidate) => formatMethod(candidate) === part)
  if (method !== undefined) return method
  const [family, detail] = part.split('.')
  return Number(family) * 32 + Number(detail)
}

/** The line of a datagram. */
export function line(bytes: Uint8Array): string {
  const message = decodeMessage(bytes)
  const { type, code, messageId, token, options, payload } = message
  const parts = [shown.get(type) ?? '', `[${messageId.toString(16).padStart(4, '0')}]`]
  if (code !== Code.empty) parts.push(isRequest(code) ? formatMethod(code) : formatCode(code))
  if (token.length > 0) parts.push(`(${toHex(token)})`)
  const path = options.filter(({ number }) => number === OptionNumber.uriPath)
  if (path.length > 0) parts.push(path.map(({ value }) => `/${decodeUtf8(value)}`).join(''))
  for (const option of options) if (option.number !== OptionNumber.uriPath) parts.push(showOption(option))
  if (payload.length > 0) parts.push(`"${decodeUtf8(payload)}"`)
  return parts.join(' ')
}

function showOption({ number, value }: CoapOption): string {
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
