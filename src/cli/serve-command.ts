import { hostname, tmpdir } from 'node:os'
import { OwnRelay } from '../host/own-relay.ts'
import type { Endpoint } from '../relay/endpoint.ts'
import type { Serving } from '../run/world.ts'
import type { ListenAddress } from './parse/parse-listen.ts'
import { toolVersion } from './tool-version.ts'

/** A relay of our own for a run, until it is closed. */
export type OpenServing = Serving & { close(): Promise<void> }

/** Listens at the address, and lets nobody in before the run has filled the relay. Throws SyncError. */
export async function openServing(
  address: ListenAddress,
  connectTarget: () => Promise<Endpoint>,
): Promise<OpenServing> {
  const relay = await OwnRelay.open({
    ...address,
    machine: hostname(),
    directory: tmpdir(),
    version: toolVersion(),
  })
  return { relay, connectTarget, close: () => relay.close() }
}
