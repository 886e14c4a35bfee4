import type { PathsView, PathView } from '@breakwater/control'
import type { ListedPath, PathListing } from '@breakwater/dots'
import { remoteText } from './remote-text.ts'

/** The paths of a client as the control API tells them. */
export function pathsView({ paths, illegal }: PathListing): PathsView {
  return { paths: paths.map(pathView), illegal: [...illegal] }
}

function pathView({ path, ...listed }: ListedPath): PathView {
  return withoutUndefined({
    ...listed,
    transport: path.transport,
    source: path.source,
    interface: path.interface,
    remote: remoteText(path)
  })
}

type Defined<Value> = { [Key in keyof Value]: Exclude<Value[Key], undefined> }

/** What is not known is left out of JSON. */
function withoutUndefined<Value extends object>(value: Value): Defined<Value> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Defined<Value>
}
