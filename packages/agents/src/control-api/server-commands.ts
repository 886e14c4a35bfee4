import { CONTROL_API_PREFIX, loadControlSchemas } from '@breakwater/control'
import type { RedirectionView } from '@breakwater/control'
import type { FastifyInstance } from 'fastify'
import type { ServerHandlers } from './handlers.ts'

/** The commands of a server. */
export async function addServerCommands(app: FastifyInstance, handlers: ServerHandlers): Promise<void> {
  const { redirectionSchema } = await loadControlSchemas()
  const path = `${CONTROL_API_PREFIX}/redirection`
  app.get(`${CONTROL_API_PREFIX}/mitigations`, async () => ({ mitigations: await handlers.mitigations() }))
  app.post<{ Body: RedirectionView }>(path, { schema: { body: redirectionSchema } }, ({ body }) => {
    handlers.redirect(body)
    return { redirection: body }
  })
  app.delete(path, () => {
    handlers.redirect(undefined)
    return { redirection: null }
  })
}
