import { fromHex, toHex } from '@breakwater/core'
import { isRequest, isResponse } from '@breakwater/coap'
import type { Side } from './figure.ts'
import type { Line } from './notation.ts'

/** What only the wire knows of a message. */
export interface Identity {
  readonly messageId: number
  readonly token: Uint8Array
}

/**
 * Message IDs and tokens of a figure and of the wire. Who sends a message for the first time draws them: the figure's are
 * names for what a live end has drawn, and stay with it. What a line leaves out is what follows from the messages before.
 */
export class Identities {
  readonly #messageIds = new Map<string, number>()
  readonly #tokens = new Map<string, string>()
  readonly #lastMessageId: Record<Side, number> = { client: 0x0100, server: 0x0200 }
  readonly #lastToken: Record<Side, Uint8Array> = { client: new Uint8Array(0), server: new Uint8Array(0) }

  /** Identity of a line that the figure itself sends. */
  draw(from: Side, line: Line): Identity {
    const owner = ownerOfId(from, line)
    const shown = line.messageId === undefined ? undefined : Number.parseInt(line.messageId, 16)
    const known = this.#messageIds.get(`${owner} ${line.messageId}`)
    const fresh = owner === from ? this.#lastMessageId[owner] + 1 : this.#lastMessageId[owner]
    const messageId = known ?? shown ?? fresh
    const token = this.#tokenToSend(from, line)
    this.#note(from, line, { messageId, token })
    return { messageId, token }
  }

  #tokenToSend(from: Side, line: Line): Uint8Array {
    const owner = ownerOfToken(from, line)
    if (line.token !== undefined) return fromHex(this.#tokens.get(`${owner} ${line.token}`) ?? line.token)
    return owner === from || !isResponse(line.code) ? new Uint8Array(0) : this.#lastToken[owner]
  }

  /** What is wrong with the identity that a live end gave to this line; undefined when nothing is. */
  faultOf(from: Side, line: Line, sent: Identity): string | undefined {
    const owner = ownerOfId(from, line)
    if (line.type !== undefined) {
      const due =
        line.messageId === undefined ? undefined : this.#messageIds.get(`${owner} ${line.messageId}`)
      const expected = due ?? (owner === from ? undefined : this.#lastMessageId[owner])
      if (expected !== undefined && expected !== sent.messageId)
        return `Message ID ${sent.messageId}, and not ${expected}`
      if (due === undefined && owner === from && this.#messageIdsOf(owner).includes(sent.messageId))
        return `Message ID ${sent.messageId} for another message`
    }
    const tokenFault = this.#tokenFault(from, line, toHex(sent.token))
    if (tokenFault === undefined) this.#note(from, line, sent)
    return tokenFault
  }

  #messageIdsOf(owner: Side): readonly number[] {
    return [...this.#messageIds].filter(([key]) => key.startsWith(owner)).map(([, id]) => id)
  }

  #tokenFault(from: Side, line: Line, sent: string): string | undefined {
    const owner = ownerOfToken(from, line)
    const named = line.token === undefined ? undefined : this.#tokens.get(`${owner} ${line.token}`)
    const implied = owner === from || line.token !== undefined ? undefined : toHex(this.#lastToken[owner])
    const expected = isResponse(line.code) ? (named ?? implied) : named
    return expected === undefined || expected === sent ? undefined : `token ${sent}, and not ${expected}`
  }

  #note(from: Side, line: Line, { messageId, token }: Identity): void {
    const owner = ownerOfId(from, line)
    if (line.messageId !== undefined) this.#messageIds.set(`${owner} ${line.messageId}`, messageId)
    if (owner === from) this.#lastMessageId[from] = messageId
    const asker = ownerOfToken(from, line)
    if (line.token !== undefined) this.#tokens.set(`${asker} ${line.token}`, toHex(token))
    if (isRequest(line.code)) this.#lastToken[from] = token
  }
}

/** RFC 7252 §4.2: an Acknowledgement or Reset repeats the Message ID of the other side. */
function ownerOfId(from: Side, { type }: Line): Side {
  return type === 'acknowledgement' || type === 'reset' ? otherSide(from) : from
}

/** RFC 7252 §5.3.1: a response repeats the token of the other side's request. */
function ownerOfToken(from: Side, { code }: Line): Side {
  return isResponse(code) ? otherSide(from) : from
}

/** Whom a message goes to. */
export function otherSide(side: Side): Side {
  return side === 'client' ? 'server' : 'client'
}
