/** Addresses of the scenario `two-providers`, all from documentation or private space. */
interface Provider {
  /** The provider-aggregatable prefix that it assigned to the site. */
  readonly prefix: string
  /** The home's address in that prefix: what gets attacked. */
  readonly home: string
  /** The CPE's address in that prefix, on the home's link. */
  readonly gateway: string
  /** The access link between provider and CPE. */
  readonly link: string
  readonly edge: string
  readonly cpe: string
  /** The provider's DOTS server. */
  readonly server: string
  /** The link between provider and internet. */
  readonly core: string
  readonly internet: string
}

interface TwoProviders {
  readonly isp1: Provider
  readonly isp2: Provider
  /** Somewhere on the internet: attacker and legitimate peer. */
  readonly attacker: string
  readonly accessMbps: number
}

export const twoProviders: TwoProviders = {
  isp1: {
    prefix: '198.51.100.0/28',
    home: '198.51.100.2',
    gateway: '198.51.100.1',
    link: '10.0.1.0/30',
    edge: '10.0.1.1',
    cpe: '10.0.1.2',
    server: '192.0.2.1',
    core: '10.0.11.1',
    internet: '10.0.11.2'
  },
  isp2: {
    prefix: '203.0.113.16/28',
    home: '203.0.113.18',
    gateway: '203.0.113.17',
    link: '10.0.2.0/30',
    edge: '10.0.2.1',
    cpe: '10.0.2.2',
    server: '192.0.2.129',
    core: '10.0.12.1',
    internet: '10.0.12.2'
  },
  attacker: '192.0.2.200',
  accessMbps: 10
}
