import { execFileSync } from 'node:child_process'

/*
 *   home 198.51.100.1  2001:db8:c::1
 *   +--------------------------------+
 *   a 10.9.1.1  ::1          b 10.9.2.1  ::1
 *   |                        |
 *   a 10.9.1.2 .3  ::2 ::3   b 10.9.2.2 .3  ::2 ::3       2001:db8:9:1::/64, 2001:db8:9:2::/64
 *   +--------------------------------+
 *   server 192.0.2.1 .2  2001:db8:5::1 ::2      .1 is routed by a, .2 by b; the main table knows a alone
 */

/** Addresses of the server, and the link by which each is asked and has to answer. */
export const ASKED: readonly (readonly [address: string, link: 'a' | 'b'])[] = [
  ['192.0.2.1', 'a'],
  ['192.0.2.2', 'b'],
  ['10.9.1.3', 'a'],
  ['10.9.2.3', 'b'],
  ['2001:db8:5::1', 'a'],
  ['2001:db8:5::2', 'b'],
  ['2001:db8:9:1::3', 'a'],
  ['2001:db8:9:2::3', 'b']
]

let networks = 0

/** A server's host with two uplinks, several addresses and a routing table for each, and the host of a client. */
export class TwoUplinks {
  readonly #tag = `bw-uplinks-${process.pid}-${networks++}`
  readonly #names = [`${this.#tag}-server`, `${this.#tag}-home`] as const

  constructor() {
    for (const name of this.#names) run('ip', 'netns', 'add', name)
    try {
      this.#build()
    } catch (error) {
      this.destroy()
      throw error
    }
  }

  /** What must stand before a command for it to run at one end. */
  at(end: 'server' | 'home'): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name(end)]
  }

  /** From now on the server's host sends by the main table what it sends from this address. */
  forgetRule(address: string): void {
    this.#ip('server', [`-${familyOf(address)} rule del from ${address}`])
  }

  /** Packets of the server that came to the client by each link, of those that come from an address. */
  answers(address: string): Record<'a' | 'b', number> {
    const listing = run(...this.at('home'), 'nft', '-j', 'list', 'counters')
    const { nftables } = JSON.parse(listing) as {
      nftables: { counter?: { name: string; packets: number } }[]
    }
    const of = (link: string): number =>
      nftables.find(({ counter }) => counter?.name === counterName(link, address))?.counter?.packets ?? -1
    return { a: of('a'), b: of('b') }
  }

  destroy(): void {
    for (const name of this.#names) run('ip', 'netns', 'del', name)
  }

  #name(end: 'server' | 'home'): string {
    return this.#names[end === 'server' ? 0 : 1]
  }

  #build(): void {
    // Strict filters would drop what comes by b, for the main table knows a alone.
    const settings = ['all', 'default'].map((which) => `net.ipv4.conf.${which}.rp_filter=0`)
    for (const end of ['server', 'home'] as const)
      run(...this.at(end), 'sysctl', '-qw', ...settings, 'net.ipv6.conf.default.accept_dad=0')
    for (const link of ['a', 'b'])
      this.#ip('server', [`link add name ${link} type veth peer name ${link} netns ${this.#name('home')}`])
    this.#ip('home', [...['lo', 'a', 'b'].map((name) => `link set dev ${name} up`), ...homeAddresses])
    this.#ip('server', [...['lo', 'a', 'b'].map((name) => `link set dev ${name} up`), ...serverAddresses])
    const counters = ASKED.flatMap(([address]) => ['a', 'b'].map((link) => counterOf(link, address)))
    const hook = 'type filter hook input priority 0;'
    const chain = `chain input { ${hook}\n${counters.map(({ rule }) => rule).join('\n')}\n}`
    const script = `table inet seen {\n${counters.map(({ set }) => set).join('\n')}\n${chain}\n}\n`
    execFileSync('ip', [...this.at('home').slice(1), 'nft', '-f', '-'], { input: script })
  }

  #ip(end: 'server' | 'home', lines: readonly string[]): void {
    for (const line of lines) run('ip', '-n', this.#name(end), ...line.split(' '))
  }
}

const homeAddresses = [
  'addr add 198.51.100.1/32 dev lo',
  'addr add 2001:db8:c::1/128 dev lo nodad',
  ...['1', '2'].flatMap((n) => {
    const link = n === '1' ? 'a' : 'b'
    return [
      `addr add 10.9.${n}.1/24 dev ${link}`,
      `addr add 2001:db8:9:${n}::1/64 dev ${link} nodad`,
      `route add 192.0.2.${n}/32 via 10.9.${n}.2 dev ${link} src 198.51.100.1`,
      `-6 route add 2001:db8:5::${n}/128 via 2001:db8:9:${n}::2 dev ${link} src 2001:db8:c::1`
    ]
  })
]

const serverAddresses = [
  ...['1', '2'].flatMap((n) => {
    const link = n === '1' ? 'a' : 'b'
    const table = `10${n}`
    return [
      ...['2', '3'].map((host) => `addr add 10.9.${n}.${host}/24 dev ${link}`),
      ...['2', '3'].map((host) => `addr add 2001:db8:9:${n}::${host}/64 dev ${link} nodad`),
      `addr add 192.0.2.${n}/32 dev lo`,
      `addr add 2001:db8:5::${n}/128 dev lo nodad`,
      `route add default via 10.9.${n}.1 dev ${link} table ${table}`,
      `-6 route add default via 2001:db8:9:${n}::1 dev ${link} table ${table}`,
      `-4 rule add from 192.0.2.${n} lookup ${table}`,
      `-6 rule add from 2001:db8:5::${n} lookup ${table}`
    ]
  }),
  'route add default via 10.9.1.1 dev a',
  '-6 route add default via 2001:db8:9:1::1 dev a'
]

function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}

function counterName(link: string, address: string): string {
  return `${link}_${address.replaceAll(/[.:]/g, '_')}`
}

function counterOf(link: string, address: string): { readonly set: string; readonly rule: string } {
  const name = counterName(link, address)
  const family = familyOf(address) === 6 ? 'ip6' : 'ip'
  return {
    set: `counter ${name} { }`,
    rule: `iifname ${link} ${family} saddr ${address} meta l4proto { tcp, udp } counter name ${name}`
  }
}

function run(...command: readonly string[]): string {
  const [program = '', ...args] = command
  return execFileSync(program, args, { encoding: 'utf8' })
}
