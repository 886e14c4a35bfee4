export * from './clock.ts'
export * from './csprng.ts'
export { openTlsEndpoint, tlsEndpointOpener } from './tls/open-endpoint.ts'
export type { TlsEndpointSettings } from './tls/open-endpoint.ts'
export type { OpenTcpSocket } from './tls/connector.ts'
export { openPlainResolver } from './dns/plain-resolver.ts'
export type { PlainResolverOptions } from './dns/plain-resolver.ts'
export type {
  DnsEvent,
  NameServerTools,
  NameServerWay,
  ResolverSockets,
  WayVerdict
} from './dns/name-server.ts'
export { openTlsResolver } from './dns/tls-resolver.ts'
export type { TlsNameServerOptions, TlsResolverOptions } from './dns/tls-resolver.ts'
export { linuxInterfaceAddresses } from './interface-addresses/linux-interface-addresses.ts'
export type { LinuxInterfaceAddressesOptions } from './interface-addresses/linux-interface-addresses.ts'
export { LinuxExits } from './exits/linux-exits.ts'
export type { ExitChange } from './exits/linux-exits.ts'
export { linuxNextHops } from './next-hops/linux-next-hops.ts'
export type { LinuxNextHopsOptions } from './next-hops/linux-next-hops.ts'
export { linuxDefaultRouters } from './default-routers/linux-default-routers.ts'
export type { LinuxDefaultRoutersOptions } from './default-routers/linux-default-routers.ts'
export { dropDirectory } from './provisioning/drop-directory.ts'
export type { DropDirectoryOptions } from './provisioning/drop-directory.ts'
export { decodeDrop, encodeDrop } from './provisioning/drop-format.ts'
export type { DropFile } from './provisioning/drop-format.ts'
export { Rereading } from './rereading.ts'
export { kernelAdvertisements } from './provisioning/kernel-advertisements.ts'
export type { KernelAdvertisementsOptions } from './provisioning/kernel-advertisements.ts'
export { leaseFile } from './provisioning/lease-file.ts'
export type { LeaseFileOptions } from './provisioning/lease-file.ts'
