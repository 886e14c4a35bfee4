import { twoProviders } from '../../scenarios/two-providers-addresses.ts'
import { Namespace } from './namespace.ts'

/** The hosts of RFC 9284 Figures 2 and 5 as namespaces. */
export interface TwoProviderNetwork {
  readonly home: Namespace
  readonly cpe: Namespace
  readonly isp1: Namespace
  readonly isp2: Namespace
  readonly internet: Namespace
  destroy(): Promise<void>
}

const plan = twoProviders

/** Builds the network; every link, address, route and filter stands when it returns. */
export async function buildTwoProviderNetwork(): Promise<TwoProviderNetwork> {
  const tag = `bw${process.pid.toString(36)}`
  const made: Namespace[] = []
  const create = async (name: string, router: boolean): Promise<Namespace> => {
    const namespace = await Namespace.create(`${tag}-${name}`, { router })
    made.push(namespace)
    return namespace
  }
  const destroy = async (): Promise<void> => {
    await Promise.all(made.map((namespace) => namespace.destroy()))
  }
  try {
    const network = {
      home: await create('home', false),
      cpe: await create('cpe', true),
      isp1: await create('isp1', true),
      isp2: await create('isp2', true),
      internet: await create('net', false),
      destroy
    }
    await connect(network)
    await Promise.all([
      configureHome(network.home),
      configureCpe(network.cpe),
      configureProvider(network.isp1, plan.isp1),
      configureProvider(network.isp2, plan.isp2),
      configureInternet(network.internet)
    ])
    return network
  } catch (error) {
    await destroy()
    throw error
  }
}

/** One link: a cable with an end in each of two hosts. */
function veth(a: Namespace, nameA: string, b: Namespace, nameB: string): Promise<void> {
  return a.ip([`link add name ${nameA} type veth peer name ${nameB} netns ${b.name}`])
}

async function connect({ home, cpe, isp1, isp2, internet }: TwoProviderNetwork): Promise<void> {
  await veth(home, 'lan', cpe, 'lan')
  await veth(cpe, 'wan1', isp1, 'cust')
  await veth(cpe, 'wan2', isp2, 'cust')
  await veth(isp1, 'core', internet, 'isp1')
  await veth(isp2, 'core', internet, 'isp2')
}

/** The home has one address of each provider and leaves the choice of the exit to its CPE. */
function configureHome(home: Namespace): Promise<void> {
  return home.ip([
    'link set dev lo up',
    'link set dev lan up',
    `addr add ${plan.isp1.home}/28 dev lan`,
    `addr add ${plan.isp2.home}/28 dev lan`,
    `route add default via ${plan.isp1.gateway} dev lan`
  ])
}

/** Source routing: each provider's addresses leave by that provider, or its ingress filter drops them. */
function configureCpe(cpe: Namespace): Promise<void> {
  return cpe.ip([
    ...['lo', 'lan', 'wan1', 'wan2'].map((name) => `link set dev ${name} up`),
    `addr add ${plan.isp1.gateway}/28 dev lan`,
    `addr add ${plan.isp2.gateway}/28 dev lan`,
    `addr add ${plan.isp1.cpe}/30 dev wan1`,
    `addr add ${plan.isp2.cpe}/30 dev wan2`,
    `route add default via ${plan.isp1.edge} dev wan1 table 101`,
    `route add default via ${plan.isp2.edge} dev wan2 table 102`,
    'rule add pref 100 lookup main suppress_prefixlength 0',
    ...[plan.isp1.prefix, plan.isp1.link].map((prefix) => `rule add pref 101 from ${prefix} lookup 101`),
    ...[plan.isp2.prefix, plan.isp2.link].map((prefix) => `rule add pref 102 from ${prefix} lookup 102`),
    `route add default via ${plan.isp1.edge} dev wan1`
  ])
}

async function configureProvider(isp: Namespace, provider: (typeof plan)['isp1']): Promise<void> {
  await isp.ip([
    ...['lo', 'cust', 'core'].map((name) => `link set dev ${name} up`),
    `addr add ${provider.server}/32 dev lo`,
    `addr add ${provider.edge}/30 dev cust`,
    `addr add ${provider.core}/30 dev core`,
    `route add ${provider.prefix} via ${provider.cpe} dev cust`,
    `route add default via ${provider.internet} dev core`
  ])
  // The access link: what the flood fills.
  await isp.exec(
    `tc qdisc add dev cust root tbf rate ${plan.accessMbps}mbit burst 32kb latency 30ms`.split(' ')
  )
  // BCP 38: only what this provider assigned may enter from its customer.
  await isp.nft(`
    table inet ingress {
      counter foreign_source { }
      chain prerouting {
        type filter hook prerouting priority raw;
        iifname "cust" ip saddr != { ${provider.prefix}, ${provider.link} } counter name foreign_source drop
      }
    }`)
}

function configureInternet(internet: Namespace): Promise<void> {
  return internet.ip([
    ...['lo', 'isp1', 'isp2'].map((name) => `link set dev ${name} up`),
    `addr add ${plan.attacker}/32 dev lo`,
    ...[plan.isp1, plan.isp2].flatMap((provider, index) => [
      `addr add ${provider.internet}/30 dev isp${index + 1}`,
      ...[provider.prefix, provider.link, `${provider.server}/32`].map(
        (prefix) => `route add ${prefix} via ${provider.core} dev isp${index + 1}`
      )
    ])
  ])
}
