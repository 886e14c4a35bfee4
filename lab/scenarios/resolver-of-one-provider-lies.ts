//
//    stranger     +------+      +------+
//    192.0.2.66   | ISP1 |      | ISP2 |   198.51.100.0/28   203.0.113.16/28
//   (a DOTS       +--+---+      +---+--+   resolver .53      resolver .181     (192.0.2.0/24)
//    server,         |              |      DOTS server .1    DOTS server .129
//    no link)    wan1|              |wan2
//                  +-+--------------+-+
//                  |       CPE        |    the DOTS client is on the CPE, and knows its servers by their names alone
//                  +------------------+
//
//
// ISP1's resolver says that its DOTS server is at the address of ISP2's, then at that of a stranger, and at last the truth. Names are
// asked of their own provider, over its own link (RFC 9284 §5.1). While it lies, nothing is asked of a wrong server, what ISP2 protects is not
// touched, and the operator reads why; afterwards ISP1's server is asked within the retry interval (60 s here) and a handshake.

import { clientOnCpe } from '../multihomed/client-on-cpe.ts'
import { isp1ByName, isp2ByName, sayingFirst } from '../multihomed/providers.ts'
import { multihomed } from '../multihomed/scenario.ts'
import type { Story } from '../multihomed/story.ts'
import type { ProviderPlan } from '../multihomed/topology.ts'
import type { Scenario } from '../scenario.ts'

const [addressOfIsp2, addressOfStranger] = ['192.0.2.129', '192.0.2.66']
const stranger: ProviderPlan = {
  name: 'stranger',
  prefix: '192.0.2.208/28',
  servers: { 'dots.stranger.example': addressOfStranger }
}

export const scenario: Scenario = multihomed({
  name: 'resolver-of-one-provider-lies',
  summary: "a provider's resolver gives wrong addresses for its DOTS server: nobody wrong is asked",
  topology: {
    ...clientOnCpe,
    providers: [sayingFirst({ lie: addressOfIsp2 }, isp1ByName), isp2ByName, stranger],
    // The stranger has other customers of this name: it is not the client's authority that keeps it out.
    clients: clientOnCpe.clients.map((client) => ({ ...client, laterProviders: ['stranger'] }))
  },
  story: async (story) => {
    await expectReason(story, 'isp1 gives the address of isp2: it is refused', 'is the address of server')
    const lost = await story.protect('home', '198.51.100.2/32')
    const spared = await story.protect('home', '203.0.113.18/32')
    await story.expectAsked(spared, { 'dots.isp2.example': ['203.0.113.18/32'] })
    await story.expectNobodyElseAsked(lost)
    await story.world.setResolver('isp1', { lie: addressOfStranger })
    await expectReason(
      story,
      'isp1 gives the address of a stranger: its certificate is refused',
      'certificate'
    )
    await story.expectNobodyElseAsked(lost)
    await story.world.setResolver('isp1', 'truth')
    story.figures['protectedAfterTruthSeconds'] = await story.expectProtected(lost)
    await story.expectStillProtected(spared)
    story.expectOwnResolversAsked()
  }
})

/** The operator reads why there is no session; 75 s: a handshake may have to wait for 60 s. */
async function expectReason(story: Story, name: string, reason: string): Promise<void> {
  const isRead = async (): Promise<boolean> =>
    (await story.world.reasons('home')).some((text) => text.includes(reason))
  story.expect(name, await story.world.runUntil(isRead, 75))
}
