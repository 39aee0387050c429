import { describe, expect, it } from 'vitest'

import type { Status } from '../../src/report/status.ts'
import { renderStatus, renderStatusJson } from '../../src/cli/render/render-status.ts'
import { toolVersion } from '../../src/cli/tool-version.ts'
import { NOW, STATUS } from './reports.ts'

const OPTIONS = { color: false, width: 80, now: NOW, timeZone: 'UTC' }

function refusedWith(outcome: 'refused' | 'duplicate', reason: string): Status {
  const refused = [{ outcome, reason, count: 1, software: null, example: null }]
  return { ...STATUS, targets: STATUS.targets.map((target) => ({ ...target, refused })) }
}

describe('renderStatus', () => {
  it('shows checkpoints, what waits, what was refused, and the last runs', () => {
    expect(`\n${renderStatus(STATUS, OPTIONS)}`).toMatchInlineSnapshot(`
      "
      state    /home/me/.local/state/ngit-sync/state.db

      target   ws://localhost:7443
      running  process 4711 on git.example.org since Sun 12:12, 60 s ago

       layer              anchors  drained                          in full
       wss://relay.three
         not reached since Fri 00:13, 2 d ago; never drained: connect ECONNREFUSED
       wss://relay.two
         not read to its end since Sat 07:13, 29 h ago; last drained Fri 07:13: idle
         30 s on page 3 of #E 101–200
         1 announcements        1  Sun 12:03, 10 min ago            Sat 16:13
       wss://relay.one
         read to its end in every run since 2025-11-13 12:13, 10 d ago
         1 announcements        1  Sat 07:13, 29 h ago              Sat 07:13
         3 threads          3,812  from 2025-11-13 12:13, 10 d ago  2025-11-12 12:13

       17 waiting since Sat 06:13, 30 h ago; sent at most 1 time; again with the next
          run
         "invalid: no announcement exists for this repository"
         needs
         30617:efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef:hello
           e.g. nevent1qqs2h2at4w46h2at4w46h2at4w46h2at4w46h2at4w46h2at4w46h2cdayrhd

       1 pending since Sun 12:11, 2 min ago; sent 3 times; again from Sun 12:46 on
         "purgatory: won't be served until git data arrives"
         the target keeps the first until Sun 12:41
           e.g. nevent1qqsvmnwdehxumnwdehxumnwdehxumnwdehxumnwdehxumnwdehxumng7f6kwp

       1,204 refused for good by khatru 0.9
         "blocked: event contains too large tags"
           e.g. nevent1qqswlml0alh7lml0alh7lml0alh7lml0alh7lml0alh7lml0alh7lmc9ukmy0

       1 refused for good
         "blocked"

         → These events are sent again after 30 days, when the target's software
           changes, or by \`ngit-sync retry --refused\`.
       the path of any of these events: ngit-sync why nevent1…

       repository           name   waiting  refused  pending on git
       npub1alh7…/hello     Hello       17        4               1
       no known repository               ·    1,201               ·

       run                         command         took  sent  parked  end
       Sun 12:12, 60 s ago         catchup            ·     ·       ·  running
       Sat 07:13, 29 h ago         catchup   9 min 31 s   598      26  partial (3)
       2025-11-13 12:13, 10 d ago  backfill       1.4 s     ·       ·  complete (0)

      target   wss://new.example

       no checkpoint: no relay was read to its end yet (files have no checkpoints)
      "
    `)
  })

  it('drops columns where the terminal is narrow', () => {
    const text = renderStatus(STATUS, { ...OPTIONS, width: 60 })
    expect(text).not.toContain('in full')
    expect(text).toContain('3,812')
  })

  it.each([
    [
      'restricted: Event event must reference an accepted repository or accepted event',
      /sent again when the target serves/,
    ],
    ['parent refused: blocked', /sent again when the target serves its parent/],
    ['restricted: Kind 0/10002 author must participate in an accepted repository thread', /event of its author in a/],
    ['blocked: Event author npub1x is blacklisted', /operator lets it in/],
  ])('tells what reopens `%s`', (reason, again) => {
    expect(renderStatus(refusedWith('refused', reason), OPTIONS)).toMatch(again)
  })

  it('does not call refused what is held and not served', () => {
    const text = renderStatus(refusedWith('duplicate', 'duplicate: deletion request is no longer served'), OPTIONS)
    expect(text).toContain('1 held, but not served')
    expect(text).not.toContain('refused for good')
  })

  it('says so when there was no run', () => {
    expect(renderStatus({ ...STATUS, targets: [] }, OPTIONS)).toContain('no run has been made yet')
  })
})

describe('renderStatusJson', () => {
  it('is one line that parses back to the same', () => {
    expect(JSON.parse(renderStatusJson(STATUS))).toEqual({ ...STATUS, toolVersion: toolVersion() })
    expect(renderStatusJson(STATUS).trimEnd()).not.toContain('\n')
  })
})
