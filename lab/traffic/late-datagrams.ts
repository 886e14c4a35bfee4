// Run in the namespace of a server (node late-datagrams.ts ADDRESS PORT DELAY): whatever comes to that address and port goes on to the
// server's DOTS port there, so many milliseconds later; answers go back at once. For kernels that have no netem.
import { type Socket, createSocket } from 'node:dgram'

/** RFC 9132 §3. */
const DOTS_PORT = 4646

const [address = '', port = '', delay = ''] = process.argv.slice(2)
const server = createSocket('udp4')
/** A socket for each who sends, by address and port: the server tells them apart as it would without us. */
const senders = new Map<string, Socket>()

server.on('message', (datagram, { address: from, port: fromPort }) => {
  const key = `${from} ${fromPort}`
  const own = senders.get(key) ?? createSocket('udp4')
  if (!senders.has(key)) {
    senders.set(key, own)
    own.on('message', (answer) => server.send(answer, fromPort, from))
  }
  setTimeout(() => own.send(datagram, DOTS_PORT, address), Number(delay))
})
server.bind(Number(port), address, () => console.log('ready'))
