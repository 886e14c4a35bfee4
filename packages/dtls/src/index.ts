export { openDtlsEndpoint } from './open-endpoint.ts'
