import type { ConnectRequest, SecureEndpoint } from '@breakwater/core'

/** The same endpoint, which tells of every session before it is opened. */
export function watchedEndpoint(
  endpoint: SecureEndpoint,
  onConnect: (request: ConnectRequest) => void
): SecureEndpoint {
  return {
    local: endpoint.local,
    connect: (request) => {
      onConnect(request)
      return endpoint.connect(request)
    },
    send: (peer, bytes) => endpoint.send(peer, bytes),
    close: (peer) => endpoint.close(peer),
    maximumPlaintext: (peer) => endpoint.maximumPlaintext(peer),
    stats: () => endpoint.stats(),
    destroy: () => endpoint.destroy()
  }
}
