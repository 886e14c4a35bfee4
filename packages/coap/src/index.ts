export type * from './message.ts'
export type * from './session.ts'
export {
  Code,
  codeClass,
  formatCode,
  isClientError,
  isRequest,
  isResponse,
  isServerError,
  isSuccess
} from './code.ts'
export { formatMethod, Method } from './method.ts'
export {
  formatOptionNumber,
  isCritical,
  isDefinedFor,
  isNoCacheKey,
  isUnsafe,
  optionDefinition,
  OptionNumber
} from './option.ts'
export type { OptionDefinition, OptionFormat, OptionPlace } from './option.ts'
export {
  emptyOption,
  findOption,
  readString,
  readUint,
  readUriPath,
  stringOption,
  uintOption,
  uintValue,
  uriPath
} from './option-value.ts'
export { decodeMessage } from './codec/decode.ts'
export { encodeMessage } from './codec/encode.ts'
export { MAXIMUM_MESSAGE_BYTES, MAXIMUM_OPTIONS } from './codec/limit.ts'
export { CoapSession } from './coap-session.ts'
export type { CoapSessionOptions } from './coap-session.ts'
export { defaultParameters, deriveTimes } from './message/parameters.ts'
export type { DerivedTimes } from './message/parameters.ts'
export type { SessionLoad } from './session-load.ts'
export { basicOptions } from './option-check.ts'
export type { BlockwiseOptions } from './blockwise/block-carrier.ts'
export { blockOption, readBlock } from './blockwise/block-option.ts'
export type { Block } from './blockwise/block-option.ts'
export { CoapStreamSession } from './tcp/coap-stream-session.ts'
export type {
  CoapStreamInput,
  CoapStreamOutput,
  CoapStreamSessionOptions
} from './tcp/coap-stream-session.ts'
export type { CloseReason, LinkEvent } from './tcp/stream-session.ts'
export type { Release } from './tcp/signal.ts'
export { isSignal, SignalCode, SignalOption } from './tcp/stream-message.ts'
export type { StreamMessage } from './tcp/stream-message.ts'
export { encodeFrame } from './tcp/frame.ts'
export { FrameReader } from './tcp/frame-reader.ts'
export { BackOff, DEFAULT_MAX_AGE_SECONDS, retryAfter, tooManyRequests } from './request/too-many-requests.ts'
export { freshUntil, renewalAt } from './observe/renewal.ts'
export { ContentFormat, formatContentFormat } from './content-format.ts'
export {
  backThroughProxy,
  DEFAULT_HOP_LIMIT,
  hasInvalidHopLimit,
  hopLimit,
  hopLimitReached,
  nextHop
} from './hop-limit.ts'
export type { NextHop } from './hop-limit.ts'
export { isPreconditionMet } from './request/precondition.ts'
export type { CurrentState } from './request/precondition.ts'
export { parseCoapUri, uriOptions } from './uri/parse-uri.ts'
export type { CoapUri, UriDestination } from './uri/parse-uri.ts'
export { composeCoapUri } from './uri/compose-uri.ts'
export { schemeDefinition } from './uri/scheme.ts'
export type { CoapScheme, SchemeDefinition } from './uri/scheme.ts'
export type { Framing, MessageReader } from './tcp/framing.ts'
export { webSocketFraming } from './websocket/websocket-framing.ts'
export { WEBSOCKET_PATH, WEBSOCKET_SUBPROTOCOL, webSocketOpening } from './websocket/opening.ts'
export type { WebSocketOpening } from './websocket/opening.ts'
