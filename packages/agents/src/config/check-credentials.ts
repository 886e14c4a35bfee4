import { keyMatches } from './file-format.ts'
import type { ConfigFiles } from './file-format.ts'
import type { ConfigPath, ShapeProblem } from './shape.ts'

/** A certificate is of use only with its own key. Files that are wrong by themselves were reported before. */
export function checkCredentials(
  credentials: { readonly certificate?: string | undefined; readonly privateKey?: string | undefined },
  path: ConfigPath,
  files: ConfigFiles
): ShapeProblem[] {
  const { certificate, privateKey } = credentials
  if (certificate === undefined || privateKey === undefined) return []
  if (keyMatches(files.text(certificate), files.text(privateKey)) !== false) return []
  const message = `${files.absolute(privateKey)} is not the key of the certificate ${files.absolute(certificate)}`
  return [{ path: [...path, 'privateKey'], message }]
}
