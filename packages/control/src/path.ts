/** What every path of the control API starts with: the version of the contract. */
export const CONTROL_API_PREFIX = '/v1'
