export { openDtlsEndpoint } from './open-endpoint.ts'
export { openBoundTcpSocket, openBoundUdpSocket } from './bound-socket.ts'
export type { BoundSocketOptions, BoundTcpSocketOptions } from './bound-socket.ts'
