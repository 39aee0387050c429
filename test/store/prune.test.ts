import { statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

import { layerVersions } from '../../src/checkpoint/layers.ts'
import type { NostrEvent } from '../../src/nostr/event.ts'
import { openStateFile, type Db } from '../../src/store/state-file.ts'
import { createTargetState, type TargetState } from '../../src/store/target-state.ts'
import { announcement, repositoryAddress } from '../support/builders.ts'
import { keyOf } from '../support/sign.ts'
import { openTemporaryState } from '../support/temporary-state.ts'

const TARGET = 'ws://target.example'
const NOW = 1_750_000_000
const YEAR = 365 * 86_400
const VERSIONS = layerVersions({ followUps: false })
const alice = keyOf('alice')
const people = Array.from({ length: 60 }, (_, index) => keyOf(`stranger ${index}`))

function prune(state: TargetState): void {
  state.prune({ now: NOW, versions: VERSIONS })
}

/** As earlier versions wrote it: the whole event, of whomever. */
function rememberWhole(db: Db, event: NostrEvent): void {
  const address = `30617:${event.pubkey}:repo`
  db.prepare('INSERT INTO announcement (target, address, id, created_at, json) VALUES (?, ?, ?, ?, ?)').run(
    TARGET,
    address,
    Buffer.from(event.id, 'hex'),
    event.created_at,
    JSON.stringify(event),
  )
}

function authorsOf(state: TargetState): string[] {
  return [...state.anchors.announcements()].map(({ pubkey }) => pubkey).sort()
}

describe('pruning announcements', () => {
  it('forgets those of strangers, which earlier versions kept for good (no false green #33)', () => {
    const { state, db } = openTemporaryState()
    for (const key of [alice, ...people]) rememberWhole(db, announcement(key, 'repo'))
    state.anchors.add('listed:git.example.com:443', 'repositories', repositoryAddress(alice, 'repo'))
    prune(state)
    expect(authorsOf(state)).toEqual([alice.pubkey])
  })

  it('keeps what is in the scope of another run, who is asked for by name, and what the target serves', () => {
    const { state, db } = openTemporaryState()
    const [inScope = alice, named = alice, served = alice, stranger = alice] = people
    for (const key of [inScope, named, served, stranger]) rememberWhole(db, announcement(key, 'repo'))
    state.anchors.add('all', 'repositories', repositoryAddress(inScope, 'repo'))
    state.anchors.add('listed:a', 'announcements', repositoryAddress(named, 'repo'))
    state.known.add([announcement(served, 'repo')])
    prune(state)
    expect(authorsOf(state)).toEqual([inScope, named, served].map(({ pubkey }) => pubkey).sort())
  })

  it('keeps an outline of those that earlier versions kept whole (no false green #33)', () => {
    const { state, db } = openTemporaryState()
    for (const key of people) {
      rememberWhole(db, announcement(key, 'repo', { content: 'x'.repeat(50_000), maintainers: [alice] }))
      state.anchors.add('all', 'repositories', repositoryAddress(key, 'repo'))
    }
    prune(state)
    const kept = [...state.anchors.announcements()]
    expect([kept.length, Math.max(...kept.map((event) => JSON.stringify(event).length)) < 1_000]).toEqual([60, true])
    expect(kept.every(({ tags }) => tags.some((tag) => tag.includes(alice.pubkey)))).toBe(true)
  })

  it('touches nothing of another target', () => {
    const { state, db } = openTemporaryState()
    rememberWhole(db, announcement(alice, 'repo'))
    const other = createTargetState(db, 'ws://other.example', { versions: VERSIONS, maxSpoolBytes: 2 ** 40 })
    prune(other)
    expect(authorsOf(state)).toEqual([alice.pubkey])
  })
})

describe('pruning checkpoints', () => {
  const row = { drainedAt: NOW - 10, fullAt: NOW - 10, hadEvents: true }

  it('forgets those of versions that no run believes, and none that one with follow-ups wrote', () => {
    const { state, db } = openTemporaryState()
    const followUps = createTargetState(db, TARGET, {
      versions: layerVersions({ followUps: true }),
      maxSpoolBytes: 2 ** 40,
    })
    state.checkpoints.save('ws://s.example', 'threads', 'a', row)
    followUps.checkpoints.save('ws://s.example', 'threads', 'b', row)
    state.checkpoints.save('ws://s.example', 'threads', 'old', row)
    db.exec("UPDATE coverage SET version = 0 WHERE anchor = 'old'")
    prune(state)
    const anchors = db.prepare('SELECT anchor FROM coverage ORDER BY anchor').all()
    expect(anchors).toEqual([{ anchor: 'a' }, { anchor: 'b' }])
  })

  it('forgets a source that no run has drained for a year, with all that it showed', () => {
    const { state } = openTemporaryState()
    const witness = { id: 'a'.repeat(64), pubkey: alice.pubkey, address: undefined, createdAt: 1, expiresAt: undefined }
    const old = { ...row, drainedAt: NOW - YEAR - 1 }
    for (const source of ['ws://gone.example', 'ws://debtor.example']) {
      state.checkpoints.save(source, 'threads', 'a', old)
      state.witnesses.add(source, [{ ...witness, repositories: [] }], { provedAt: 1, isPublished: false })
    }
    state.checkpoints.save('ws://debtor.example', 'threads', 'b', row)
    prune(state)
    expect(state.checkpoints.load('ws://gone.example', 'threads', 'a')).toBeUndefined()
    expect(state.witnesses.sample('ws://gone.example', 10)).toEqual([])
    expect(state.checkpoints.load('ws://debtor.example', 'threads', 'a')).toEqual(old)
    expect(state.witnesses.sample('ws://debtor.example', 10)).toHaveLength(1)
  })
})

describe('pruning runs', () => {
  it('keeps the newest thousand, and what older ones are asked about', () => {
    const { state, db } = openTemporaryState()
    const first = state.runs.begin('catchup', 1)
    state.runs.setScope(first, 'listed')
    state.runs.noteAccepted(first)
    for (let run = 0; run < 1_100; run += 1) state.runs.begin('retry', 2)
    prune(state)
    expect(db.prepare('SELECT count(*) AS n, min(number) AS first FROM run').get()).toEqual({ n: 1_001, first })
    expect([state.runs.lastScope(), state.runs.hasAccepted()]).toEqual(['listed', true])
    expect(state.runs.begin('catchup', 3)).toBe(1_102)
  })
})

describe('a state file that was needed for a while', () => {
  it('is given back to the disk when it is closed (no false green #33)', () => {
    const { state, db, file } = openTemporaryState()
    for (const key of people) {
      const event = announcement(key, 'repo', { content: 'x'.repeat(500_000) })
      state.spoolRows.insert(event, { layer: 'announcements', source: 'a', isLate: false, isOutside: false })
    }
    state.anchors.add('all', 'repositories', 'kept')
    db.pragma('wal_checkpoint(TRUNCATE)')
    expect(statSync(file).size).toBeGreaterThan(30_000_000)
    db.exec('DELETE FROM spool')
    state.close()
    expect(statSync(file).size).toBeLessThan(1_000_000)
    const again = openTemporaryState({ file }).state
    again.anchors.recall('all')
    expect(again.anchors.has('kept')).toBe(true)
  })

  it('stays as it is while another process writes', () => {
    const { state, db, file } = openTemporaryState()
    const event = announcement(alice, 'repo', { content: 'x'.repeat(20_000_000) })
    state.spoolRows.insert(event, { layer: 'announcements', source: 'a', isLate: false, isOutside: false })
    db.exec('DELETE FROM spool')
    const other = openStateFile(file)
    other.exec('BEGIN IMMEDIATE')
    state.close()
    other.exec('ROLLBACK')
    expect(Number(other.pragma('freelist_count', { simple: true }))).toBeGreaterThan(1_000)
    other.close()
  })
})
