import { isp1, isp1ByName, isp2, isp2ByName } from './providers.ts'
import type { Topology } from './topology.ts'

/** The site of most drawings: one CPE with a link to either provider, and the DOTS client on it. */
export const clientOnCpe: Topology = {
  providers: [isp1, isp2],
  cpes: [{ name: 'cpe', uplinks: ['isp1', 'isp2'] }],
  hosts: [],
  clients: [{ name: 'home', on: 'cpe', providers: ['isp1', 'isp2'] }]
}

/** The same with a prefix of the site's own. */
export const clientOnCpeWithOwnPrefix: Topology = { ...clientOnCpe, ownPrefix: '198.18.7.0/24' }

/** The same, where the client knows servers by their names alone. */
export const clientOnCpeByName: Topology = { ...clientOnCpe, providers: [isp1ByName, isp2ByName] }
