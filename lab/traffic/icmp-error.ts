import { end } from '../backends/netns/command.ts'
import type { Namespace } from '../backends/netns/namespace.ts'

/** ICMP errors for IPv4 (RFC 792), and what stands behind the checksum. */
export const IcmpError = {
  portUnreachable: { type: 3, code: 3, rest: 0 },
  hostUnreachable: { type: 3, code: 1, rest: 0 },
  /** "Fragmentation needed and DF set", with the least MTU that Linux believes (RFC 1191). */
  fragmentationNeeded: { type: 3, code: 4, rest: 552 },
  sourceQuench: { type: 4, code: 0, rest: 0 },
  timeExceeded: { type: 11, code: 0, rest: 0 },
  parameterProblem: { type: 12, code: 0, rest: 0 }
} as const

export type IcmpErrorKind = keyof typeof IcmpError

interface Socket {
  readonly address: string
  readonly port: number
}

/** A forged error about a datagram that `to` may have sent. */
export interface ForgedError {
  readonly kind: IcmpErrorKind
  /** Who pretends to have met the datagram. */
  readonly router: string
  readonly to: Socket
  readonly about: Socket
}

const UDP = 17
const ICMP = 1

/** Sends each of the errors once, out of `device`. */
export async function sendIcmpErrors(
  from: Namespace,
  device: string,
  macs: { readonly source: string; readonly destination: string },
  errors: readonly ForgedError[]
): Promise<void> {
  for (const error of errors)
    await from.exec([...trafgen(device), '-n', '1', '--no-sock-mem'], { input: frameOf(macs, error) })
}

/** Sends one of the errors over and over, some thousand times a second, until it is stopped. */
export function floodIcmpError(
  from: Namespace,
  device: string,
  macs: { readonly source: string; readonly destination: string },
  error: ForgedError
): { stop(): Promise<void> } {
  const child = from.start([...trafgen(device), '-t', '250us'], ['pipe', 'ignore', 'ignore'])
  child.stdin?.end(frameOf(macs, error))
  // Its worker outlives every politer signal.
  return { stop: () => end(child, 'SIGKILL') }
}

function trafgen(device: string): string[] {
  return ['trafgen', '--in', '-', '--out', device, '-P', '1', '-q']
}

function frameOf(
  macs: { readonly source: string; readonly destination: string },
  error: ForgedError
): string {
  const frame = [...macBytes(macs.destination), ...macBytes(macs.source), 0x08, 0x00, ...packetOf(error)]
  return `{ ${frame.map((byte) => `0x${byte.toString(16)}`).join(', ')} }\n`
}

/** The error as an IPv4 packet, with the head of the datagram that it is about. */
function packetOf({ kind, router, to, about }: ForgedError): number[] {
  const { type, code, rest } = IcmpError[kind]
  const quoted = [
    ...ipv4Header(UDP, to.address, about.address, 1200),
    ...u16(to.port),
    ...u16(about.port),
    ...u16(1180),
    ...u16(0)
  ]
  const message = [type, code, 0, 0, ...u16(0), ...u16(rest), ...quoted]
  message.splice(2, 2, ...u16(checksum(message)))
  return [...ipv4Header(ICMP, router, to.address, 20 + message.length), ...message]
}

function ipv4Header(protocol: number, source: string, destination: string, length: number): number[] {
  const header = [
    0x45,
    0,
    ...u16(length),
    ...u16(0x1234),
    ...u16(0x4000),
    64,
    protocol,
    ...u16(0),
    ...addressBytes(source),
    ...addressBytes(destination)
  ]
  header.splice(10, 2, ...u16(checksum(header)))
  return header
}

/** RFC 1071. */
function checksum(bytes: readonly number[]): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return ~sum & 0xffff
}

function u16(value: number): [high: number, low: number] {
  return [value >> 8, value & 0xff]
}

function addressBytes(text: string): number[] {
  return text.split('.').map(Number)
}

function macBytes(text: string): number[] {
  return text.split(':').map((pair) => Number.parseInt(pair, 16))
}
