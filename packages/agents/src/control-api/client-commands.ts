import type { FastifyInstance } from 'fastify'
import { after, RejectedError, Seconds } from '@breakwater/core'
import type { Clock } from '@breakwater/core'
import { CONTROL_API_PREFIX, loadControlSchemas } from '@breakwater/control'
import type { EfficacyRequest, PlanRequest, ProtectionView, ProtectRequest } from '@breakwater/control'
import type { ClientHandlers } from './handlers.ts'

/** A client that waits longer asks again: so a lost one does not keep its place for ever. */
const longestWaitSeconds = 30

/** Texts, as they stand in a URL: types are not coerced on this API. */
const waitQuerySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    afterRevision: { type: 'string', pattern: '^[0-9]{1,15}$' },
    waitSeconds: { type: 'string', pattern: String.raw`^[0-9]{1,9}(\.[0-9]{1,9})?$` }
  }
} as const

interface WaitQuery {
  readonly afterRevision?: string
  readonly waitSeconds?: string
}

interface ById {
  readonly Params: { readonly id: string }
}

/** The commands of a client. @returns what ends all waiting, for when the agent stops. */
export async function addClientCommands(
  app: FastifyInstance,
  handlers: ClientHandlers,
  clock: Clock
): Promise<() => void> {
  const { efficacyRequestSchema, planRequestSchema, protectRequestSchema } = await loadControlSchemas()
  const waiting = new Set<() => void>()
  const path = `${CONTROL_API_PREFIX}/protections`
  app.post<{ Body: PlanRequest }>(
    `${CONTROL_API_PREFIX}/plan`,
    { schema: { body: planRequestSchema } },
    ({ body }) => handlers.plan(body)
  )
  app.get(`${CONTROL_API_PREFIX}/domains`, () => handlers.domains())
  app.post<{ Body: ProtectRequest }>(
    path,
    { schema: { body: protectRequestSchema } },
    async ({ body }, reply) => {
      const answer = await handlers.protect(body)
      return reply.code(answer.accepted ? 201 : 200).send(answer)
    }
  )
  app.get(`${CONTROL_API_PREFIX}/paths`, () => handlers.paths())
  app.get<{ Params: { readonly name: string } }>(`${CONTROL_API_PREFIX}/decisions/:name`, ({ params }) => {
    const view = handlers.decisions(params.name)
    if (view !== undefined) return view
    const name = params.name.slice(0, 80)
    throw new RejectedError(
      'CONTROL_DECISIONS_UNKNOWN',
      `nothing was decided about ${name}: name a protection, a server or a path as "dots status" and "dots path list" show them`,
      404
    )
  })
  app.get(path, () => ({ protections: handlers.protections() }))
  app.get<ById & { Querystring: WaitQuery }>(
    `${path}/:id`,
    { schema: { querystring: waitQuerySchema } },
    async ({ params, query }) => {
      const first = known(params.id, handlers.protection(params.id))
      const revision = Number(query.afterRevision ?? -1)
      if (first.revision > revision) return first
      const seconds = Math.min(Number(query.waitSeconds ?? 0), longestWaitSeconds)
      await nextChange(params.id, revision, seconds, handlers, clock, waiting)
      return known(params.id, handlers.protection(params.id))
    }
  )
  app.delete<ById>(`${path}/:id`, async ({ params }) => known(params.id, await handlers.release(params.id)))
  app.post<ById & { Body: EfficacyRequest }>(
    `${path}/:id/efficacy`,
    { schema: { body: efficacyRequestSchema } },
    ({ params, body }) => known(params.id, handlers.updateEfficacy(params.id, body))
  )
  return () => {
    for (const stop of waiting) stop()
  }
}

function known(id: string, view: ProtectionView | undefined): ProtectionView {
  if (view !== undefined) return view
  throw new RejectedError('CONTROL_PROTECTION_UNKNOWN', `there is no protection ${id.slice(0, 80)}`, 404)
}

/** Resolves when the protection is beyond the revision, when time is up, or when the agent stops. */
function nextChange(
  id: string,
  revision: number,
  seconds: number,
  handlers: ClientHandlers,
  clock: Clock,
  waiting: Set<() => void>
): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      unsubscribe()
      timer.cancel()
      waiting.delete(finish)
      resolve()
    }
    const unsubscribe = handlers.onChange(() => {
      const view = handlers.protection(id)
      if (view === undefined || view.revision > revision) finish()
    })
    const timer = clock.schedule(after(clock.now(), Seconds(seconds)), finish)
    waiting.add(finish)
  })
}
