// Makes a checkout ready to run: packages, our own Node, the native addon and, with --lab as root on Debian, the
// programs that the lab drives. Plain JavaScript for Node >= 20: it runs before our own Node and TypeScript exist.
// Every entry script has it as its pre-script; it does nothing when all is fresh.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamps = join(root, 'node_modules', '.breakwater')

/** Debian package → a program that it brings; the lab and the interoperability tests need them all. */
const labPrograms = {
  nftables: 'nft',
  iproute2: 'ip',
  'iputils-ping': 'ping',
  ethtool: 'ethtool',
  iperf3: 'iperf3',
  'netsniff-ng': 'trafgen',
  tcpdump: 'tcpdump',
  'libcoap3-bin': 'coap-client-openssl',
  'libyang-tools': 'yanglint',
  openssl: 'openssl',
  'dnsmasq-base': 'dnsmasq',
  'dbus-daemon': 'dbus-daemon',
  udhcpc: 'udhcpc',
  'dhcpcd-base': 'dhcpcd',
  'isc-dhcp-client': 'dhclient',
  'isc-dhcp-server': 'dhcpd',
  ndisc6: 'rdisc6',
  procps: 'sysctl'
}

// npm puts node_modules/.bin first on the PATH. While `npm ci` empties node_modules, no child may need the Node in there.
const pathOutside = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.endsWith(join('node_modules', '.bin')))
  .join(delimiter)

function digestOf(files) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

/** Runs `act` unless `result` exists and was made from these very inputs. */
function step(name, inputs, result, act) {
  const stamp = join(stamps, name)
  const digest = digestOf(inputs)
  if (existsSync(join(root, result)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  const started = Date.now()
  console.error(`set-up: ${name} …`)
  act()
  mkdirSync(stamps, { recursive: true })
  writeFileSync(stamp, digest)
  console.error(`set-up: ${name} done in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}

/** Child output goes to stderr: stdout belongs to the script that follows (`npm run -s bench -- --json`). */
function run(command, args, env = process.env) {
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], env })
}

/** The folder that holds include/node of the very Node that loads the addon. */
function nodeHome() {
  const own = join(root, `node_modules/node-linux-${process.arch}`)
  return existsSync(own) ? own : dirname(dirname(process.execPath))
}

function compileAddon(sources) {
  mkdirSync(join(root, 'packages/dtls/build'), { recursive: true })
  run(process.env.CXX ?? 'g++', [
    '-std=c++20',
    '-O2',
    '-fPIC',
    '-shared',
    '-fvisibility=hidden',
    '-fno-exceptions',
    '-fno-rtti',
    '-Wall',
    '-Wextra',
    '-DNAPI_VERSION=9',
    '-isystem',
    join(nodeHome(), 'include/node'),
    // All of it as one translation unit: a quarter of the time that as many separate ones take.
    ...sources.flatMap((file) => (file.endsWith('.cc') ? ['-include', file] : [])),
    '-x',
    'c++',
    '/dev/null',
    '-o',
    'packages/dtls/build/dtls.node'
  ])
}

function onPath(program) {
  const folders = [...pathOutside.split(delimiter), '/usr/sbin', '/sbin']
  return folders.some((folder) => existsSync(join(folder, program)))
}

function installLabPrograms() {
  const missing = Object.keys(labPrograms).filter((name) => !onPath(labPrograms[name]))
  if (missing.length === 0) return
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    console.error(`set-up: not root on Debian: the namespace lab stays off (missing: ${missing.join(', ')})`)
    return
  }
  console.error(`set-up: system packages ${missing.join(' ')} …`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', PATH: pathOutside }
  const wait = ['-o', 'DPkg::Lock::Timeout=300', '-qq']
  run('apt-get', [...wait, 'update'], env)
  run('apt-get', [...wait, 'install', '-y', '--no-install-recommends', ...missing], env)
}

/**
 * What a run of NetworkManager takes, unpacked beside our packages. Nobody installs it for a test: its package starts it, and it
 * would take the interfaces of this host.
 */
const networkManagerPackages = [
  'network-manager',
  'libnm0',
  'libndp0',
  'libcurl3-gnutls',
  'libjansson4',
  'libpsl5'
]

function unpackNetworkManager() {
  const folder = join(stamps, 'network-manager')
  if (existsSync(join(folder, 'usr/sbin/NetworkManager'))) return
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return
  console.error('set-up: NetworkManager …')
  mkdirSync(folder, { recursive: true })
  const download = `apt-get -qq -o APT::Sandbox::User=root download ${networkManagerPackages.join(' ')}`
  const unpack = 'for package in *.deb; do dpkg-deb -x "$package" . && rm "$package"; done'
  try {
    run('sh', ['-e', '-c', `cd '${folder}'; ${download} || { apt-get -qq update; ${download}; }; ${unpack}`])
  } catch {
    console.error('set-up: without NetworkManager, its test is skipped')
  }
}

step('packages', ['package-lock.json'], 'node_modules/.package-lock.json', () =>
  run('npm', ['ci', '--loglevel=error'], { ...process.env, PATH: pathOutside })
)

const native = 'packages/dtls/native'
const sources = readdirSync(join(root, native))
  .filter((name) => name.endsWith('.cc') || name.endsWith('.h'))
  .toSorted()
  .map((name) => `${native}/${name}`)
step('addon', ['package-lock.json', 'tools/setup.mjs', ...sources], 'packages/dtls/build/dtls.node', () =>
  compileAddon(sources)
)

if (process.argv.includes('--lab')) {
  installLabPrograms()
  unpackNetworkManager()
}
