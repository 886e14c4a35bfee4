/** As Linux passed on what dnsmasq advertised by its interface 2: 2001:db8:a::53 and isp-a.example, for 1800 s each. */
export const CAPTURED = {
  servers:
    '4c0000004400000000000000000000000a001800020000008600000000000000190300000000070820010db8000a0000000000000000005314000100fe80000000000000748c99fffe5a0a5d',
  domains:
    '4c0000004400000000000000000000000a0018000200000086000000000000001f03000000000708056973702d61076578616d706c65000014000100fe80000000000000748c99fffe5a0a5d',
  /** An option with a prefix, which is the kernel's own. */
  prefix:
    '540000004400000000000000000000000a002000020000008600000000000000030440c000000708000007080000000020010db8000a0000000000000000000014000100fe80000000000000748c99fffe5a0a5d'
} as const

const RTM_NEWLINK = 16
const RTM_NEWNDUSEROPT = 68

export function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex')
}

/** A message about a link, of the host's byte order, which is that of the machines this runs on. */
export function linkBytes(
  index: number,
  name: string,
  { isUp = true, type = RTM_NEWLINK, family = 0 } = {}
): Buffer {
  const body = Buffer.alloc(16)
  body.writeUInt8(family, 0)
  body.writeUInt32LE(index, 4)
  body.writeUInt32LE(isUp ? 1 : 0, 8)
  const attribute = Buffer.alloc(4 + ((name.length + 4) & ~3))
  attribute.writeUInt16LE(4 + name.length + 1, 0)
  attribute.writeUInt16LE(3, 2)
  attribute.write(name, 4)
  return messageBytes(type, Buffer.concat([body, attribute]))
}

/** A message about an option of an advertisement. */
export function optionBytes(index: number, option: Buffer): Buffer {
  const body = Buffer.alloc(16)
  body.writeUInt8(10, 0)
  body.writeUInt16LE(option.length, 2)
  body.writeUInt32LE(index, 4)
  body.writeUInt8(134, 8)
  return messageBytes(RTM_NEWNDUSEROPT, Buffer.concat([body, option]))
}

export function serversOption(seconds: number, ...hexAddresses: readonly string[]): Buffer {
  const head = Buffer.from([25, 1 + 2 * hexAddresses.length, 0, 0, 0, 0, 0, 0])
  head.writeUInt32BE(seconds, 4)
  return Buffer.concat([head, ...hexAddresses.map(bytesOf)])
}

export function domainsOption(seconds: number, ...hexBytes: readonly string[]): Buffer {
  const names = Buffer.concat(hexBytes.map(bytesOf))
  const units = 1 + Math.ceil(names.length / 8)
  const option = Buffer.alloc(units * 8)
  option.writeUInt8(31, 0)
  option.writeUInt8(units, 1)
  option.writeUInt32BE(seconds, 4)
  names.copy(option, 8)
  return option
}

function messageBytes(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(16)
  head.writeUInt32LE(16 + body.length, 0)
  head.writeUInt16LE(type, 4)
  return Buffer.concat([head, body, Buffer.alloc(-body.length & 3)])
}
