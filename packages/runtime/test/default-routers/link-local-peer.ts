// One end of a session between a host and its default router, each in a network namespace of its own. Says in one line what
// came of it: `node link-local-peer.ts router|host udp|tcp`.
import { formatIpAddress, parseIpAddress } from '@breakwater/core'
import type { IpAddress, OpenSecureEndpoint, SecureEndpoint, SecureEndpointHandlers } from '@breakwater/core'
import { openBoundTcpSocket, openDtlsEndpoint } from '@breakwater/dtls'
import { linuxDefaultRouters } from '../../src/default-routers/linux-default-routers.ts'
import { tlsEndpointOpener } from '../../src/tls/open-endpoint.ts'

const PORT = 4646
const [, , role, transport] = process.argv
const key = new Uint8Array(32).fill(7)
const open: OpenSecureEndpoint =
  transport === 'tcp' ? tlsEndpointOpener({ openSocket: openBoundTcpSocket }) : openDtlsEndpoint

/** Tells the outcome of the session, and resolves then. */
function outcome(say: (kind: string) => void): SecureEndpointHandlers {
  return {
    onBatch: () => undefined,
    onSession: (event) => say(event.kind)
  }
}

function addressOf(text: string): IpAddress {
  const address = parseIpAddress(text)
  if (address === undefined) throw new Error(`${text} is no address`)
  return address
}

async function beRouter(): Promise<void> {
  // Node cannot bind a listening socket to an interface, and without one there is no link-local address to bind to.
  const local = { address: addressOf('::'), port: PORT }
  await open(
    { role: 'server', local, preSharedKeys: new Map([['host', key]]) },
    outcome(() => undefined)
  )
  console.log('listening')
}

async function beHost(): Promise<void> {
  const [router] = await linuxDefaultRouters().read()
  if (router === undefined) throw new Error('there is no default router')
  let endpoint: SecureEndpoint | undefined
  const done = new Promise<string>((resolve) => {
    void connect(router.interface, router.address, outcome(resolve)).then((opened) => (endpoint = opened))
  })
  console.log(`${router.interface} ${formatIpAddress(router.address)} ${await done}`)
  await endpoint?.destroy()
}

async function connect(
  via: string,
  address: IpAddress,
  handlers: SecureEndpointHandlers
): Promise<SecureEndpoint> {
  const endpoint = await open(
    {
      role: 'client',
      local: { address: addressOf('2001:db8:a::2'), port: 0 },
      interface: via,
      credentials: { kind: 'psk', identity: 'host', key }
    },
    handlers
  )
  endpoint.connect({ remote: { address, port: PORT }, serverName: 'dots.example' })
  return endpoint
}

await (role === 'router' ? beRouter() : beHost())
