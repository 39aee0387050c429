import { describe, expect, it } from 'vitest'
import type { RenderOptions } from '../../src/cli/render/canvas.ts'
import { isAllWell } from '../../src/cli/render/all-well.ts'
import { renderReport } from '../../src/cli/render/render-table.ts'
import type { Report } from '../../src/report/report.ts'
import { DOOR, DRY_BACKFILL, layerReport, NOW, PARTIAL, REPAIRED, report } from './reports.ts'

function render(changed: Report, options: Partial<RenderOptions> = {}): string {
  return `\n${renderReport(changed, { color: false, width: 80, now: NOW, timeZone: 'UTC', ...options })}`
}

const REFUSED_BEFORE = {
  what: 'refused',
  where: 'ws://localhost:7443',
  reason: 'blocked: event contains too large tags',
  count: 6,
  example: null,
}

describe('a run that had nothing to do', () => {
  it('is one sentence', () => {
    expect(render(report({}))).toMatchInlineSnapshot(`
      "
      complete (0): the target already held all 15,505 events. took 1.4 s
      "
    `)
  })

  it('names the range when not everything was read', () => {
    const range = { completeSince: NOW - 1500, fullAt: NOW - 70_000 }
    expect(render(report({ range }), { width: 120 })).toMatchInlineSnapshot(`
      "
      complete (0): the target already held all 15,505 events since Sun 11:48 on top of a full pass Sat 16:46. took 1.4 s
      "
    `)
  })

  it('counts what was refused in earlier runs', () => {
    const totals = { ...report({}).totals, refused: 6 }
    expect(render(report({ totals, problems: [REFUSED_BEFORE] }))).toMatchInlineSnapshot(`
      "
      complete (0): the target already held all 15,505 events, but for 6 that it
      refused in earlier runs. took 1.4 s
      "
    `)
  })

  it('keeps its notes', () => {
    expect(render(report({ notes: ['The clock of wss://relay.one is 400 s behind ours.'] }))).toMatchInlineSnapshot(`
      "
      note     The clock of wss://relay.one is 400 s behind ours.

      complete (0): the target already held all 15,505 events. took 1.4 s
      "
    `)
  })

  it('is told in full with --verbose', () => {
    expect(render(report({}), { verbose: true })).toMatchInlineSnapshot(`
      "
      target   ws://localhost:7443 · ngit-grasp 1.0.2
      scope    listed: 214 repositories · the target is a GRASP relay
      source   wss://relay.one · last drained Sat 07:13, 29 h ago

       layer            fetched  unique    held  sent
       1 announcements      231     219     219     ·
       2 repositories     4,812   3,976   3,976     ·
       3 threads         12,044  11,310  11,310     ·
       total             17,087  15,505  15,505     ·

       layer              read           filters  pages  events    size  end
       wss://relay.one
         1 announcements  all by paging        1      ·     231  310 kB  drained

      complete (0): the target already held all 15,505 events. took 1.4 s
      "
    `)
  })
})

describe('a partial run', () => {
  it('fits into 80 columns', () => {
    expect(render(PARTIAL)).toMatchInlineSnapshot(`
      "
      target   ws://localhost:7443 · ngit-grasp 1.0.2
      scope    listed: 214 repositories · the target is a GRASP relay
      source   wss://relay.one · last drained Sat 07:13, 29 h ago
               more than 24 h since the last full pass: everything is read
      source   wss://relay.two · not read to its end before

       layer            fetched  unique    held  sent  accepted  pending  waiting
       1 announcements      231     219     208    11         2        9        ·
       2 repositories     4,812   3,976   3,701   275       261        ·       14
       3 threads         12,044  11,310  10,998   312       309        ·        3
       total             17,087  15,505  14,907   598       572        9       17
       left out: 1,204 out of scope · 31 deleted · 2 with a wrong id or signature · 1
                 expired
       late: 65 events signed before the last run that came to a source since: only a
             full pass finds them

       layer              read             filters  pages  events    size  end
       wss://relay.one
         1 announcements  all by NIP-77          1      ·      14   31 kB  drained
         2 repositories   all by NIP-77         12      ·     259  410 kB  drained
         3 threads        since Sat 06:13        4      9       1   800 B  drained
          3 of 214 anchors read in full: new here, or due
       wss://relay.two
         3 threads        all by paging         12     31   9,120  5.2 MB  not drained
          idle 30 s on page 3 of #E 101–200

       source wss://relay.two
         "threads: idle 30 s on page 3 of #E 101–200"
         → Where it was not read to its end its checkpoint did not move: the next run
           reads that again.

       17 waiting at ws://localhost:7443: not taken by the target yet
         15 "Event event must reference an accepted repository or accepted event"
           e.g. nevent1qqs2h2at4w46h2at4w46h2at4w46h2at4w46h2at4w46h2at4w46h2cdayrhd
          2 "invalid: no announcement exists for this repository"
           e.g. nevent1qqsq7rc0pu8s7rc0pu8s7rc0pu8s7rc0pu8s7rc0pu8s7rc0pu8s7rcp5kxuk
         → Kept on disk, and sent again once the target has what is missing there: run
           again later.

       9 pending at ws://localhost:7443: taken, but not served until the git data
         arrives
         "purgatory: won't be served until git data arrives"
           e.g. nevent1qqsvmnwdehxumnwdehxumnwdehxumnwdehxumnwdehxumnwdehxumng7f6kwp
         → Push the repository to the target; the next run asks again.
       the path of any of these events: ngit-sync why nevent1…

       repository          name     missing  sent  waiting  pending on git
       npub14w46…/ngit     ngit         412   398       14               ·
       npub1ehxu…/my-repo  My repo      186   174        3               9
       591 of 598 were signed between Fri 20:13 and Sat 05:13 (9 h)

      note     relay.two keeps its old checkpoint (never), so the next run reads all
               of its threads again.

      partial (3): 26 events wait on disk and relay.two was not read to its end; 598
      events sent. Run ngit-sync catchup again with the same options. took 9 min 31 s
      "
    `)
  })

  it('uses 120 columns', () => {
    expect(render(PARTIAL, { width: 120 })).toMatchInlineSnapshot(`
      "
      target   ws://localhost:7443 · ngit-grasp 1.0.2
      scope    listed: 214 repositories · the target is a GRASP relay
      source   wss://relay.one · last drained Sat 07:13, 29 h ago
               more than 24 h since the last full pass: everything is read
      source   wss://relay.two · not read to its end before

       layer            fetched  unique    held  sent  accepted  pending  waiting  late
       1 announcements      231     219     208    11         2        9        ·     3
       2 repositories     4,812   3,976   3,701   275       261        ·       14    22
       3 threads         12,044  11,310  10,998   312       309        ·        3    40
       total             17,087  15,505  14,907   598       572        9       17    65
       left out: 1,204 out of scope · 31 deleted · 2 with a wrong id or signature · 1 expired
       late: 65 events signed before the last run that came to a source since: only a full pass finds them

       layer              read             filters  pages  events    size  end
       wss://relay.one
         1 announcements  all by NIP-77          1      ·      14   31 kB  drained
         2 repositories   all by NIP-77         12      ·     259  410 kB  drained
         3 threads        since Sat 06:13        4      9       1   800 B  drained
          3 of 214 anchors read in full: new here, or due
       wss://relay.two
         3 threads        all by paging         12     31   9,120  5.2 MB  idle 30 s on page 3 of #E 101–200

       source wss://relay.two
         "threads: idle 30 s on page 3 of #E 101–200"
         → Where it was not read to its end its checkpoint did not move: the next run reads that again.

       17 waiting at ws://localhost:7443: not taken by the target yet
         15 "Event event must reference an accepted repository or accepted event"
           e.g. nevent1qqs2h2at4w46h2at4w46h2at4w46h2at4w46h2at4w46h2at4w46h2cdayrhd
          2 "invalid: no announcement exists for this repository"
           e.g. nevent1qqsq7rc0pu8s7rc0pu8s7rc0pu8s7rc0pu8s7rc0pu8s7rc0pu8s7rcp5kxuk
         → Kept on disk, and sent again once the target has what is missing there: run again later.

       9 pending at ws://localhost:7443: taken, but not served until the git data arrives
         "purgatory: won't be served until git data arrives"
           e.g. nevent1qqsvmnwdehxumnwdehxumnwdehxumnwdehxumnwdehxumnwdehxumng7f6kwp
         → Push the repository to the target; the next run asks again.
       the path of any of these events: ngit-sync why nevent1…

       repository          name     missing  sent  waiting  pending on git
       npub14w46…/ngit     ngit         412   398       14               ·
       npub1ehxu…/my-repo  My repo      186   174        3               9
       591 of 598 were signed between Fri 20:13 and Sat 05:13 (9 h)

      note     relay.two keeps its old checkpoint (never), so the next run reads all of its threads again.

      partial (3): 26 events wait on disk and relay.two was not read to its end; 598 events sent. Run ngit-sync catchup again
      with the same options. took 9 min 31 s
      "
    `)
  })

  it('is readable at 40 columns', () => {
    expect(render(PARTIAL, { width: 40 })).toMatchInlineSnapshot(`
      "
      target   ws://localhost:7443 ·
               ngit-grasp 1.0.2
      scope    listed: 214 repositories · the
               target is a GRASP relay
      source   wss://relay.one · last drained
               Sat 07:13, 29 h ago
               more than 24 h since the last
               full pass: everything is read
      source   wss://relay.two · not read to
               its end before

       layer              held  sent  parked
       1 announcements     208    11       9
       2 repositories    3,701   275      14
       3 threads        10,998   312       3
       total            14,907   598      26
       left out: 1,204 out of scope · 31
                 deleted · 2 with a wrong id
                 or signature · 1 expired
       late: 65 events signed before the last
             run that came to a source since:
             only a full pass finds them

       layer              events  end
       wss://relay.one
         1 announcements      14  drained
         2 repositories      259  drained
         3 threads             1  drained
          3 of 214 anchors read in full: new
          here, or due
       wss://relay.two
         3 threads         9,120  not drained
          idle 30 s on page 3 of #E 101–200

       source wss://relay.two
         "threads: idle 30 s on page 3 of #E
         101–200"
         → Where it was not read to its end
           its checkpoint did not move: the
           next run reads that again.

       17 waiting at ws://localhost:7443: not
          taken by the target yet
         15 "Event event must reference an
            accepted repository or accepted
            event"
           e.g. nevent1qqs2h2at4w46h…h2cdayrhd
          2 "invalid: no announcement exists
            for this repository"
           e.g. nevent1qqsq7rc0pu8s7…7rcp5kxuk
         → Kept on disk, and sent again once
           the target has what is missing
           there: run again later.

       9 pending at ws://localhost:7443:
         taken, but not served until the git
         data arrives
         "purgatory: won't be served until git
         data arrives"
           e.g. nevent1qqsvmnwdehxum…mng7f6kwp
         → Push the repository to the target;
           the next run asks again.
       the path of any of these events:
       ngit-sync why nevent1…

       repository          missing  waiting
       npub14w46…/ngit         412       14
       npub1ehxu…/my-repo      186        3
       591 of 598 were signed between Fri
       20:13 and Sat 05:13 (9 h)

      note     relay.two keeps its old
               checkpoint (never), so the next
               run reads all of its threads
               again.

      partial (3): 26 events wait on disk and
      relay.two was not read to its end; 598
      events sent. Run ngit-sync catchup again
      with the same options. took 9 min 31 s
      "
    `)
  })

  it('is coloured where it matters', () => {
    expect(render(PARTIAL, { width: 120, color: true }).replaceAll('\u001b[', '^')).toMatchInlineSnapshot(`
      "
      target   ws://localhost:7443 · ngit-grasp 1.0.2
      scope    listed: 214 repositories · the target is a GRASP relay
      source   wss://relay.one · last drained Sat 07:13, 29 h ago
               more than 24 h since the last full pass: everything is read
      source   wss://relay.two · not read to its end before

       ^2mlayer^22m            ^2mfetched^22m  ^2munique^22m    ^2mheld^22m  ^2msent^22m  ^2maccepted^22m  ^2mpending^22m  ^2mwaiting^22m  ^2mlate^22m
       1 announcements      231     219     208    11         2        9        ^2m·^22m     3
       2 repositories     4,812   3,976   3,701   275       261        ^2m·^22m       14    22
       3 threads         12,044  11,310  10,998   312       309        ^2m·^22m        3    40
       total             ^1m17,087^22m  ^1m15,505^22m  ^1m14,907^22m   ^1m598^22m       ^1m572^22m        ^1m9^22m       ^1m17^22m    ^1m65^22m
       left out: 1,204 out of scope · 31 deleted · 2 with a wrong id or signature · 1 expired
       late: 65 events signed before the last run that came to a source since: only a full pass finds them

       ^2mlayer^22m              ^2mread^22m             ^2mfilters^22m  ^2mpages^22m  ^2mevents^22m    ^2msize^22m  ^2mend^22m
       ^1mwss://relay.one^22m
         1 announcements  all by NIP-77          1      ^2m·^22m      14   31 kB  drained
         2 repositories   all by NIP-77         12      ^2m·^22m     259  410 kB  drained
         3 threads        since Sat 06:13        4      9       1   800 B  drained
          ^2m3 of 214 anchors read in full: new here, or due^22m
       ^1mwss://relay.two^22m
         3 threads        all by paging         12     31   9,120  5.2 MB  ^33m^1midle 30 s on page 3 of #E 101–200^22m^39m

       ^33m^1msource wss://relay.two^22m^39m
         "threads: idle 30 s on page 3 of #E 101–200"
         → Where it was not read to its end its checkpoint did not move: the next run reads that again.

       17 ^33m^1mwaiting at ws://localhost:7443: not taken by the target yet^22m^39m
         15 "Event event must reference an accepted repository or accepted event"
           e.g. ^2mnevent1qqs2h2at4w46h2at4w46h2at4w46h2at4w46h2at4w46h2at4w46h2cdayrhd^22m
          2 "invalid: no announcement exists for this repository"
           e.g. ^2mnevent1qqsq7rc0pu8s7rc0pu8s7rc0pu8s7rc0pu8s7rc0pu8s7rc0pu8s7rcp5kxuk^22m
         → Kept on disk, and sent again once the target has what is missing there: run again later.

       9 ^33m^1mpending at ws://localhost:7443: taken, but not served until the git data arrives^22m^39m
         "purgatory: won't be served until git data arrives"
           e.g. ^2mnevent1qqsvmnwdehxumnwdehxumnwdehxumnwdehxumnwdehxumnwdehxumng7f6kwp^22m
         → Push the repository to the target; the next run asks again.
       ^2mthe path of any of these events: ngit-sync why nevent1…^22m

       ^2mrepository^22m          ^2mname^22m     ^2mmissing^22m  ^2msent^22m  ^2mwaiting^22m  ^2mpending on git^22m
       npub14w46…/ngit     ngit         412   398       14               ^2m·^22m
       npub1ehxu…/my-repo  My repo      186   174        3               9
       ^1m591 of 598 were signed between Fri 20:13 and Sat 05:13 (9 h)^22m

      note     relay.two keeps its old checkpoint (never), so the next run reads all of its threads again.

      ^33m^1mpartial (3)^22m^39m: 26 events wait on disk and relay.two was not read to its end; 598 events sent. Run ngit-sync catchup again
      with the same options. took 9 min 31 s
      "
    `)
  })
})

describe('a report shows', () => {
  it('a repaired target with a refusal', () => {
    expect(render(REPAIRED)).toMatchInlineSnapshot(`
      "
      target   ws://localhost:7443 · ngit-grasp 1.0.2
      scope    listed: 214 repositories · the target is a GRASP relay
      source   wss://relay.one · last drained Sun 11:48, 25 min ago

       layer            fetched  unique  held  sent  accepted  refused
       1 announcements       20      10     3     7         6        1

       layer              read             filters  pages  events   size  end
       wss://relay.one
         1 announcements  since Sun 11:33        1      2      20  11 kB  drained

       1 refused at ws://localhost:7443: not taken by the target
         "blocked: event contains too large tags"
           e.g. nevent1qqswlml0alh7lml0alh7lml0alh7lml0alh7lml0alh7lml0alh7lmc9ukmy0
         → Sent again after 30 days, or when the target's software changes.
       the path of any of these events: ngit-sync why nevent1…

      complete (0): every source was read to its end since Sun 11:33 on top of a full
      pass Sat 16:13: 7 events sent, 3 already held, 1 refused for good, now or
      earlier. took 12 s
      "
    `)
  })

  it('what a dry run of backfill would send', () => {
    expect(render(DRY_BACKFILL)).toMatchInlineSnapshot(`
      "
      dry run  nothing is sent
      target   ws://localhost:7443 · ngit-grasp 1.0.2
      scope    listed: 214 repositories · the target is a GRASP relay
      window   created_at from Wed 12:13 to Sat 12:13
      source   wss://relay.one · last drained Sat 07:13, 29 h ago

       layer            fetched  unique  held  would send
       1 announcements       20      10     3           ·
       3 threads            200     100    30           7
       total                220     110    33           7

       layer              read           filters  pages  events    size  end
       wss://relay.one
         1 announcements  all by paging        1      ·     231  310 kB  drained

      complete (0): dry run: would send 7 events in the window; nothing was sent. took
      1.4 s
      "
    `)
  })

  it('a target that refuses us', () => {
    expect(render(DOOR)).toMatchInlineSnapshot(`
      "
      target   ws://localhost:7443
      scope    listed: 214 repositories · the target is a GRASP relay
      source   wss://relay.one · last drained Sat 07:13, 29 h ago

       layer            fetched  unique  held  sent  waiting
       1 announcements       20      10     3     7        7

       layer              read           filters  pages  events    size  end
       wss://relay.one
         1 announcements  all by paging        1      ·     231  310 kB  drained

       target ws://localhost:7443: it stopped answering, or refuses us
         "auth-required: must be published by authenticated event author"
         → Nothing is lost: what was not settled waits on disk. Run again when the
           target takes events.

      failed (1): the target refuses us and 7 events wait on disk; 7 events sent. took
      1.4 s
      "
    `)
  })

  it('one of everything in the singular', () => {
    const one = report({
      exit: 3,
      complete: false,
      scope: { kind: 'named', why: 'as asked', repositories: 1 },
      layers: [layerReport({ published: 1, lateArrivals: 1, outcomes: { unanswered: 1 }, dropped: { deleted: 1 } })],
      sources: [],
      totals: { ...report({}).totals, held: 1, published: 1, parked: 1 },
      durationMs: 999,
    })
    expect(render(one)).toMatchInlineSnapshot(`
      "
      target   ws://localhost:7443 · ngit-grasp 1.0.2
      scope    named: 1 repository · as asked

       layer            fetched  held  sent  unanswered  late
       1 announcements        ·     ·     1           1     1
       left out: 1 deleted
       late: 1 event signed before the last run that came to a source since: only a
             full pass finds them

      partial (3): 1 event waits on disk; 1 event sent. Run ngit-sync catchup again
      with the same options. took 999 ms
      "
    `)
  })

  it('the sum of the reasons beyond the sixth, and all of them with --verbose', () => {
    const problems = Array.from({ length: 9 }, (_, index) => {
      return { ...REFUSED_BEFORE, reason: `blocked: reason ${index}`, count: 10 - index }
    })
    const many = report({ exit: 3, problems })
    expect(render(many)).toContain('and 9 more for 3 other reasons: --verbose and --json show all')
    expect(render(many)).not.toContain('reason 6')
    expect(render(many, { verbose: true })).toContain('reason 8')
  })

  it('that the next run goes on after an interrupted one', () => {
    expect(render({ ...PARTIAL, exit: 130 })).toContain('interrupted (130): 26 events wait on disk')
    expect(render({ ...PARTIAL, exit: 143 })).toContain('The next run goes on from here.')
  })
})

describe('isAllWell', () => {
  it('is true when there was nothing to do, and when everything was repaired', () => {
    expect(isAllWell(report({}))).toBe(true)
    expect(isAllWell({ ...REPAIRED, layers: [layerReport({ outcomes: { accepted: 7 } })], problems: [] })).toBe(true)
  })

  it('is true when a refusal was told by an earlier run, false in the run in which it happens', () => {
    expect(isAllWell(report({ problems: [REFUSED_BEFORE] }))).toBe(true)
    expect(isAllWell(REPAIRED)).toBe(false)
  })

  it('is false for every exit code but 0, for trouble with a source, and for a dry run that would send', () => {
    expect(isAllWell(PARTIAL)).toBe(false)
    expect(isAllWell(report({ problems: [{ ...REFUSED_BEFORE, what: 'source', where: 'wss://relay.one' }] }))).toBe(
      false,
    )
    expect(isAllWell(DRY_BACKFILL)).toBe(false)
  })

  it('is true when a source serves invalid events: they change nothing', () => {
    expect(isAllWell(report({ problems: [{ ...REFUSED_BEFORE, what: 'invalid', where: 'wss://relay.one' }] }))).toBe(
      true,
    )
  })
})
