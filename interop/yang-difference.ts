import type { JsonObject } from '@breakwater/model'
import { scopeText } from '../packages/model/test/json/fault.ts'

/** A reason for which yanglint and we may differ about a body, stated as narrowly as it goes. */
export interface Difference {
  readonly why: string
  /** Whether it explains that we refuse with `fault` what yanglint accepts. */
  readonly ours?: (fault: string, body: JsonObject) => boolean
  /** Whether it explains that yanglint refuses with `problem` what we accept. */
  readonly theirs?: (problem: string) => boolean
  /** A body that the two differ about for this reason. */
  readonly example: string
}

export const differences: readonly Difference[] = [
  {
    why: 'RFC 9132 §4.4.1.1 makes a request with an empty value invalid, which the module cannot say',
    ours: (fault) => fault.startsWith('MODEL_EMPTY_VALUE'),
    example: scopeText('"alias-name":[]')
  },
  {
    why: 'an empty message is one of its kind; without its wrapper yanglint cannot know of which',
    ours: (fault, body) =>
      fault.startsWith('MODEL_MISSING_NODE') && JSON.stringify(Object.values(body)) === '[{}]',
    example: '{"ietf-dots-signal-channel:heartbeat":{}}'
  },
  {
    why: 'RFC 3986 §2 limits the characters of a URI; the type inet:uri has no pattern',
    ours: (fault) => /^MODEL_TEXT_INVALID .*target-uri\[\d+\]$/.test(fault),
    example: scopeText('"target-uri":["no uri"]')
  },
  {
    why: 'libyang passes blanks over around numbers in texts; RFC 7950 §9.2.1 and §9.3.1 have none',
    ours: (fault, body) =>
      /^MODEL_TEXT_INVALID .*(dropped|mitigation-start|-decimal)$/.test(fault) &&
      JSON.stringify(body).includes(String.raw`\n"`),
    example: scopeText(String.raw`"bytes-dropped":"7\n"`)
  },
  {
    why: 'decimals have 15 digits at most here, so that a JavaScript number holds them',
    ours: (fault) => /^MODEL_OUT_OF_RANGE .*-decimal$/.test(fault),
    example:
      '{"ietf-dots-signal-channel:signal-config":{"idle-config":{"ack-timeout":{"current-value-decimal":"10000000000000.01"}}}}'
  },
  {
    why: 'libyang takes digits behind a leading zero for octal; RFC 7950 §9.2.1 has octal in modules only',
    theirs: (problem) => /Invalid type uint64 value "0\d*[89]\d*"/.test(problem),
    example: scopeText('"pps-dropped":"08"')
  },
  {
    why: 'a code that the registry got later passes as a text of its digits',
    theirs: (problem) => /Invalid enumeration value "\d+"/.test(problem),
    example: scopeText('"status":"9"')
  },
  {
    why: 'conditions (YANG `when`) are not checked: a status is too valuable to lose for its conflict-scope',
    theirs: (problem) => problem.includes('When condition'),
    example: scopeText(
      '"conflict-information":{"conflict-cause":"cuid-collision","conflict-scope":{"mid":7}}'
    )
  },
  {
    why: 'acl-type is a text here, as in RFC 9132 Table 5, whatever identities other modules know',
    theirs: (problem) => problem.includes('Invalid identityref'),
    example: scopeText(
      '"conflict-information":{"conflict-cause":"conflict-with-acceptlist","conflict-scope":{"acl-list":[{"acl-name":"a","acl-type":"b"}]}}'
    )
  }
]

/** Why we may answer `fault` (`decoded`: valid) where yanglint answers `problem` (undefined: valid), or undefined. */
export function explanation(
  fault: string,
  problem: string | undefined,
  body: JsonObject
): string | undefined {
  return differences.find(({ ours, theirs }) =>
    problem === undefined ? ours?.(fault, body) : fault === 'decoded' && theirs?.(problem)
  )?.why
}
