// A process of its own for the flood, so that nothing else moves its memory. Prints one JSON object.
import { spoofedHellos } from './spoofed-hellos.ts'

const flood = spoofedHellos(Number(process.argv[2]))
console.log(JSON.stringify(flood))
const isBounded =
  flood.bytesOutPerByteIn <= 1 &&
  flood.packetsOutPerPacketIn <= 1 &&
  flood.residentBytesGrown < 5e6 &&
  flood.peers === 0
process.exit(isBounded ? 0 : 1)
