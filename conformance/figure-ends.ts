import { CoapSession, defaultParameters, OptionNumber, uriPath } from '@breakwater/coap'
import type { CoapOption, CoapRequest, CoapResponse, CoapSessionOptions } from '@breakwater/coap'
import { encodeUtf8 } from '@breakwater/core'
import { type Answering, type FigureParts, playFigure, seededEntropy, SessionEnd } from '@breakwater/testing'
import { describe } from 'vitest'

/** What our ends add to what the figures show. */
const besides = [OptionNumber.etag, OptionNumber.size1, OptionNumber.size2]

/** A client or server on datagrams, as alive as in an agent. */
export function end(options: Partial<CoapSessionOptions>, answering?: Answering): SessionEnd {
  const seed = answering === undefined ? 1 : 2
  return new SessionEnd(
    new CoapSession({ parameters: defaultParameters, entropy: seededEntropy(seed), ...options }),
    answering
  )
}

export function blockwise(preferredSize: number): Partial<CoapSessionOptions> {
  return { blockwise: { maximumBodyBytes: 5000, preferredSize } }
}

export function request(method: number, path: string, options: readonly CoapOption[] = []): CoapRequest {
  return { method, options: [...options, ...uriPath(path)], payload: new Uint8Array(0) }
}

export function response(code: number, payload: string | number, options: CoapOption[] = []): CoapResponse {
  return { code, options, payload: typeof payload === 'string' ? encodeUtf8(payload) : bodyOf(payload) }
}

export function bodyOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => 0x61 + ((index * 7 + (index >> 5)) % 26))
}

export type Cast = 'both' | 'client' | 'server'

/** The tests of a figure three times: with both ends alive, and with either played by the figure. */
export function eachCast(title: string, tests: (play: typeof playFigure, cast: Cast) => void): void {
  for (const cast of ['both', 'client', 'server'] as const)
    describe(`${title}, ${cast === 'both' ? 'both ends' : `our ${cast}`} alive`, () => {
      tests((text, parts) => playFigure(text, { besides, ...alive(parts, cast) }), cast)
    })
}

function alive(parts: FigureParts, cast: Cast): FigureParts {
  const { client, server, acts = {}, ...others } = parts
  const named = Object.entries(acts).filter(([name]) => cast === 'both' || name.startsWith(cast))
  const silent = Object.keys(acts).map((name) => [name, () => undefined] as const)
  return {
    ...others,
    acts: Object.fromEntries([...silent, ...named]),
    ...(client === undefined || cast === 'server' ? {} : { client }),
    ...(server === undefined || cast === 'client' ? {} : { server })
  }
}
