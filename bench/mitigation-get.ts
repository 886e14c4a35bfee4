import { EventEmitter, once } from 'node:events'
import { Method, OptionNumber, decodeMessage, encodeMessage, formatCode, uintOption } from '@breakwater/coap'
import { ipv4, prefixOf } from '@breakwater/core'
import type { CertificateCredentials } from '@breakwater/core'
import { CONTENT_FORMAT_DOTS_CBOR, mitigatePath, mitigationRequestBody } from '@breakwater/dots'
import { openDtlsEndpoint } from '@breakwater/dtls'
import { decodeSignal, encodeSignal } from '@breakwater/model'
import type { Benchmark, Measurement } from './benchmark.ts'
import type { DotsAgent } from './load/dots-agent.ts'
import { cuidOf, midOf } from './load/many-clients.ts'
import { rateOfAnswers } from './load/rate-of-answers.ts'

const path = mitigatePath(cuidOf(0), midOf(1))

function message(method: number, options = path, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const token = new Uint8Array(4)
  return encodeMessage({ type: 'non-confirmable', code: method, messageId: 0, token, options, payload })
}

function put(): Uint8Array {
  const target = { prefixes: [prefixOf(ipv4(0xc0000201), 32)], ports: [], protocols: [17] }
  const format = uintOption(OptionNumber.contentFormat, CONTENT_FORMAT_DOTS_CBOR)
  return message(Method.put, [...path, format], encodeSignal(mitigationRequestBody(target, 3600)))
}

/** One request over a session of its own, and its answer. */
async function ask(port: string, credentials: CertificateCredentials, request: Uint8Array): Promise<string> {
  const local = { address: ipv4(0x7f000001), port: 0 }
  const heard = new EventEmitter()
  const endpoint = await openDtlsEndpoint(
    { role: 'client', local, credentials },
    {
      onBatch: (batch) => heard.emit('answer', batch.bytes(0).slice()),
      onSession: ({ kind, peer }) => kind === 'established' && endpoint.send(peer, request)
    }
  )
  endpoint.connect({ remote: { ...local, port: Number(port) }, serverName: 'server.example' })
  const [bytes] = (await once(heard, 'answer', { signal: AbortSignal.timeout(5000) })) as [Uint8Array]
  await endpoint.destroy()
  const { code, payload } = decodeMessage(bytes)
  const mid = payload.length === 0 ? undefined : decodeSignal(payload).mitigationScope?.scope?.[0]?.mid
  return `${formatCode(code)} ${mid}`
}

async function expectAnswer(asked: Promise<string>, expected: string): Promise<void> {
  const answer = await asked
  if (answer !== expected) throw new Error(`the answer was ${answer}, not ${expected}`)
}

/** GETs of one mitigation (RFC 9132 §4.4.2). */
function run(): Promise<Measurement> {
  const request = message(Method.get)
  return rateOfAnswers(request, {
    prepare: async (whole, { client }) => {
      await expectAnswer(ask(whole.port, client, put()), '2.01 1')
      await expectAnswer(ask(whole.port, client, request), '2.05 1')
    },
    check: checkAnswers
  })
}

/** Only what the server counts as answered was no refusal. */
async function checkAnswers({ control }: DotsAgent): Promise<void> {
  const counters = await control.counters()
  const total = Object.entries(counters).filter(([name]) => name.startsWith('dots_server_requests_total'))
  const answered = total.find(([name]) => name.includes('answered'))?.[1] ?? 0
  const others = total
    .filter(([name]) => !name.includes('answered'))
    .reduce((sum, [, count]) => sum + count, 0)
  // The one other is the PUT.
  if (answered < 1000 || others !== 1)
    throw new Error(`${answered} requests were answered, ${others} were not GETs`)
}

export const benchmarks: readonly Benchmark[] = [{ name: 'mitigation-get', run }]
