/** `[2001:db8::1]:4646`, `192.0.2.1:4646` */
export function remoteText({ remote, port }: { readonly remote: string; readonly port: number }): string {
  return remote.includes(':') ? `[${remote}]:${port}` : `${remote}:${port}`
}
