import type { SocketAddress } from '@breakwater/core'
import type { NativeAddress } from './addon.ts'

export function toNative({ address, port }: SocketAddress): NativeAddress {
  return [address.family, address.a, address.b, address.c, address.d, port]
}

export function fromNative([family, a, b, c, d, port]: NativeAddress): SocketAddress {
  return { address: { family: family === 4 ? 4 : 6, a, b, c, d }, port }
}
