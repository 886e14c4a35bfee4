import { Code, codeClass, isRequest } from '../code.ts'
import type { MessageType } from '../message.ts'

/** What RFC 7252 §4.2, §4.3 and table 1 have against this code in this type of message; undefined when nothing. */
export function codeFault(type: MessageType, code: number): { code: string; message: string } | undefined {
  const family = codeClass(code)
  if (family === 1 || family >= 6)
    return { code: 'COAP_CODE_RESERVED', message: `code class ${family} is reserved` }
  if (type === 'confirmable') return undefined
  if (type === 'non-confirmable')
    return code === Code.empty
      ? { code: 'COAP_NON_CONFIRMABLE_EMPTY', message: 'a Non-confirmable message is Empty' }
      : undefined
  if (type === 'reset')
    return code === Code.empty
      ? undefined
      : { code: 'COAP_RESET_NOT_EMPTY', message: 'a Reset message is not Empty' }
  return isRequest(code)
    ? { code: 'COAP_ACKNOWLEDGEMENT_IS_REQUEST', message: 'an Acknowledgement carries a request' }
    : undefined
}
