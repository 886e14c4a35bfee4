import { execFileSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DhcpWorld } from './dhcp-world.ts'

/**
 * Where the set-up unpacks NetworkManager and its libraries. Nobody installs it for a test: its package starts it, and it would take the
 * interfaces of this host.
 */
const unpacked = fileURLToPath(new URL('../node_modules/.breakwater/network-manager', import.meta.url))

/** Why NetworkManager cannot be tried here; undefined when it can. */
export function obstacleToNetworkManager(): string | undefined {
  return existsSync(join(unpacked, 'usr/sbin/NetworkManager')) ? undefined : `${unpacked} is missing`
}

const configuration = `[main]
plugins=keyfile
dhcp=internal
dns=none
no-auto-default=*
auth-polkit=root-only
`

const profile = `[connection]
id=wan1
uuid=5d1a9d2c-7f9d-4d39-9c2e-111111111111
type=ethernet
interface-name=wan1
[ipv4]
method=auto
[ipv6]
method=auto
`

/** A bus on which everybody may say everything. */
const bus = `<busconfig><type>session</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>
`

/**
 * A real NetworkManager in the site of a world, with a system bus and a dispatcher of its own, whose script is `dots provision`. What it
 * sees of `/usr`, `/etc`, `/var/lib` and `/run` is its own, too: mounts within `ip netns exec` are.
 */
export class NetworkManager {
  readonly #process: ChildProcess

  constructor(world: DhcpWorld) {
    const { folder } = world
    const above = join(folder, 'above')
    mkdirSync(above)
    const script = world.write('90-breakwater', `#!/bin/sh\n${world.provision('networkmanager')} "$1" "$2"\n`)
    const lines = [
      `mount -t tmpfs none ${above}`,
      ...['/usr', '/etc', '/var/lib'].map((path, index) => {
        const [upper, work] = [`${above}/u${index}`, `${above}/w${index}`]
        const lower = path === '/usr' ? `${unpacked}/usr:/usr` : path
        const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
        return `mkdir ${upper} ${work} && mount -t overlay overlay -o ${options} ${path}`
      }),
      'mount -t tmpfs none /run && mkdir /run/dbus',
      // It takes that for a container's, where no udev says when a device is ready.
      'mount -o remount,ro /sys',
      'mkdir -p /etc/NetworkManager/dispatcher.d /etc/NetworkManager/system-connections',
      `cp ${world.write('NetworkManager.conf', configuration)} /etc/NetworkManager`,
      // It reads neither profiles nor scripts that others may read or write.
      `install -m 600 ${world.write('wan1.nmconnection', profile)} /etc/NetworkManager/system-connections`,
      `install -m 755 ${script} /etc/NetworkManager/dispatcher.d`,
      `dbus-daemon --config-file=${world.write('bus.conf', bus)} --fork`,
      '(/usr/lib/NetworkManager/nm-dispatcher --persist &)',
      'exec /usr/sbin/NetworkManager --no-daemon'
    ]
    this.#process = world.run(world.site, 'sh', '-e', '-c', lines.join('\n'))
  }

  /** What `nmcli` does where it runs. */
  command(...words: readonly string[]): void {
    const at = ['--target', String(this.#process.pid), '--mount', '--net']
    execFileSync('nsenter', [...at, 'nmcli', ...words], { stdio: 'pipe' })
  }
}
