import type { Scenario } from './scenario.ts'
import { scenario as fig2Residential } from './scenarios/fig2-residential.ts'
import { scenario as fig3EnterprisePa } from './scenarios/fig3-enterprise-pa.ts'
import { scenario as fig3EnterprisePi } from './scenarios/fig3-enterprise-pi.ts'
import { scenario as fig4ClientsOnBothCpes } from './scenarios/fig4-clients-on-both-cpes.ts'
import { scenario as fig4TwoCpes } from './scenarios/fig4-two-cpes.ts'
import { scenario as fig5Associations } from './scenarios/fig5-associations.ts'
import { scenario as fig7DirectClients } from './scenarios/fig7-direct-clients.ts'
import { scenario as fig8SingleHomedClients } from './scenarios/fig8-single-homed-clients.ts'
import { scenario as floodedLink } from './scenarios/flooded-link.ts'
import { scenario as linkCut } from './scenarios/link-cut.ts'
import { scenario as missingAtStart } from './scenarios/missing-at-start.ts'
import { scenario as newProviderArrives } from './scenarios/new-provider-arrives.ts'
import { scenario as overlappingProtections } from './scenarios/overlapping-protections.ts'
import { scenario as providerCut } from './scenarios/provider-cut.ts'
import { scenario as renumberingOfTheClient } from './scenarios/renumbering-of-the-client.ts'
import { scenario as renumbering } from './scenarios/renumbering.ts'
import { scenario as serviceWithConsent } from './scenarios/service-with-consent.ts'
import { scenario as resolverLies } from './scenarios/resolver-of-one-provider-lies.ts'
import { scenario as shortFlaps } from './scenarios/short-flaps.ts'
import { scenario as silentCutOnePath } from './scenarios/silent-cut-one-path.ts'
import { scenario as silentCut } from './scenarios/silent-cut.ts'
import { scenario as singleIspDistinctServers } from './scenarios/single-isp-distinct-servers.ts'
import { scenario as singleIspSameServer } from './scenarios/single-isp-same-server.ts'
import { scenario as singleIspTwoClients } from './scenarios/single-isp-two-clients.ts'
import { scenario as twoProviders } from './scenarios/two-providers.ts'

/** Every figure of RFC 9284 that needs no gateway, and what can happen to a multihomed site. */
export const multihomedScenarios: readonly Scenario[] = [
  fig2Residential,
  fig3EnterprisePa,
  fig3EnterprisePi,
  fig4TwoCpes,
  fig4ClientsOnBothCpes,
  fig5Associations,
  fig7DirectClients,
  fig8SingleHomedClients,
  singleIspSameServer,
  singleIspDistinctServers,
  singleIspTwoClients,
  overlappingProtections,
  linkCut,
  silentCut,
  silentCutOnePath,
  providerCut,
  missingAtStart,
  shortFlaps,
  renumbering,
  renumberingOfTheClient,
  newProviderArrives,
  serviceWithConsent,
  resolverLies
]

export const scenarios: readonly Scenario[] = [twoProviders, floodedLink, ...multihomedScenarios]
