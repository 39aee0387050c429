import { SyncError, UsageError } from '../errors.ts'
import { readService, type Service } from '../nostr/service-url.ts'
import type { Profile } from '../relay/endpoint.ts'
import { isGrasp } from '../relay/software.ts'
import type { ScopeRequest } from '../report/run-options.ts'
import { namedScope, type Scope } from './scope.ts'

/** The scope of a run, and why it was chosen. */
export type ScopeChoice = { readonly scope: Scope; readonly why: string }

/**
 * Chooses the scope. `auto` never widens because something failed: without the target's document it keeps the last
 * run's scope (`lastKind`), or throws SyncError.
 */
export function chooseScope(
  request: ScopeRequest,
  target: {
    readonly url: string
    readonly service: string | undefined
    readonly isFile: boolean
    readonly profile: Profile
  },
  lastKind: string | undefined,
): ScopeChoice {
  switch (request.type) {
    case 'named':
      return { scope: namedScope(request), why: 'named on the command line' }
    case 'all':
      return { scope: { type: 'all' }, why: '--scope all' }
    case 'listed':
      return listed(target, '--scope listed')
    case 'auto':
      return chooseAutomatically(target, lastKind)
  }
}

function chooseAutomatically(target: Parameters<typeof chooseScope>[1], lastKind: string | undefined): ScopeChoice {
  const { profile, url, isFile } = target
  if (isFile) return { scope: { type: 'all' }, why: 'the target is a file' }
  if (profile.documentError !== undefined) {
    if (lastKind === 'all')
      return { scope: { type: 'all' }, why: 'the target shows no NIP-11 document; as in the last run' }
    if (lastKind === 'listed') return listed(target, 'the target shows no NIP-11 document; as in the last run')
    throw new SyncError(`choose the scope: the NIP-11 document of ${url} could not be read: ${profile.documentError}`, {
      hint: 'give --scope all or --scope listed',
    })
  }
  if (isArchive(profile)) return { scope: { type: 'all' }, why: 'the target is a GRASP-05 archive' }
  if (isGrasp(profile)) return listed(target, 'the target is a GRASP relay')
  return { scope: { type: 'all' }, why: 'the target is not a GRASP relay' }
}

/** A target that is dialled below a path is a service with that base path. */
function listed({ service: given, url }: { service: string | undefined; url: string }, why: string): ScopeChoice {
  const service = readService(given ?? url)
  if (service === undefined) throw new UsageError([`--scope listed wants the public URL of the target: give --service`])
  return { scope: { type: 'listed', service }, why }
}

/**
 * Returns the service whose hosted pull requests belong to the run (GRASP-06): that of a `listed` scope, if the
 * target's document says that it hosts any.
 */
export function hostOfPullRequests(scope: Scope, { supportedGrasps }: Profile): Service | undefined {
  const isHost = supportedGrasps.some((grasp) => /(^|-)0?6$/.test(grasp))
  return isHost && scope.type === 'listed' ? scope.service : undefined
}

/** Like `hostOfPullRequests`; without a document, the service of any `listed` scope, as in earlier runs. */
export function possibleHost(scope: Scope, profile: Profile): Service | undefined {
  if (profile.documentError !== undefined) return scope.type === 'listed' ? scope.service : undefined
  return hostOfPullRequests(scope, profile)
}

/** Whether the target is a GRASP-05 archive, which takes what does not name it. A partial one refuses the rest. */
export function isArchive({ supportedGrasps }: Profile): boolean {
  return supportedGrasps.some((grasp) => /(^|-)0?5$/.test(grasp))
}
