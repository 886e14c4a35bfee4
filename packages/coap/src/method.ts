/** Request codes: RFC 7252 §5.8, and RFC 8132 for FETCH, PATCH and iPATCH. */
export const Method = {
  get: 1,
  post: 2,
  put: 3,
  delete: 4,
  fetch: 5,
  patch: 6,
  ipatch: 7
} as const

const names: readonly string[] = ['', 'GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'iPATCH']

/** `formatMethod(3)` is `PUT`; a method that has no name here is `0.dd`. */
export function formatMethod(method: number): string {
  const name = names[method] ?? ''
  return name === '' ? `0.${String(method).padStart(2, '0')}` : name
}
