import type { Filter } from '../../../src/nostr/filter.ts'
import { CLOSED_MOMENTS, CLOSED_TEXTS } from '../../support/contradictions.ts'
import { isScraper } from '../../support/narrow-questions.ts'
import type { Behaviour, ReqAnswer } from '../../support/scripted-behaviour.ts'
import { LAYERS, type Expected, type Fault, type Phase } from './fault.ts'
import { describeMatrix } from './run-matrix.ts'
import { isAtSource, type Stage } from './stage.ts'

const PHASES: readonly [Phase, ...Phase[]] = [...LAYERS, 'asking the target', 'verifying']

const REASONS = [
  'auth-required: we only serve members',
  'restricted: you are not on the list',
  'error: the index is broken',
  'blocked: you are banned',
  'unsupported: too many tags',
  'invalid: bad filter',
  'pow: work more',
  'mute: nobody listens',
  'duplicate: this subscription is open',
  'shutting down',
]

/** A scripted relay that is correct but for what reads this phase. */
function misbehave(
  stage: Stage,
  phase: Phase,
  work: (behaviour: Behaviour, isHit: (filter: Filter) => boolean) => void,
) {
  const { behaviour } = stage.endOf(phase).script
  work(behaviour, (filter) => stage.isIn(phase, filter))
}

/** A filter that is answered in a wrong way; everything else as it should be. */
function closes(reason: string): Fault['arm'] {
  return (stage, phase) =>
    misbehave(stage, phase, (behaviour, isHit) => {
      behaviour.closeReq = (filter) => (isHit(filter) ? reason : undefined)
      behaviour.onNegOpen = (filter) => (isHit(filter) ? { error: reason } : 'default')
    })
}

/** A page that ends like this. */
function answers(
  change: (rows: readonly unknown[]) => Omit<ReqAnswer, 'end'> & { end: 'eose' | 'never' },
): Fault['arm'] {
  return (stage, phase) =>
    misbehave(stage, phase, (behaviour, isHit) => {
      behaviour.onReq = ({ filters, answer }) => {
        if (!filters.some(isHit)) return 'default'
        const { end, ...changed } = change(answer.rows)
        return { ...answer, ...changed, end: { type: end } }
      }
    })
}

/** A target that will not talk to us. */
function isDoor(reason: string): boolean {
  return /^(auth-required|restricted):/.test(reason)
}

const partial = (says: RegExp): Expected => ({ exit: 3, says })

/** A relay that answers no filter with so many values, and says it in one way or another. */
function refusesLarge(end: ReqAnswer['end']): Fault['arm'] {
  return (stage, phase) =>
    misbehave(stage, phase, (behaviour, isHit) => {
      behaviour.onReq = ({ filters: [filter = {}] }) =>
        isHit(filter) && Object.values(filter).some((values) => Array.isArray(values) && values.length > 2)
          ? { rows: [], end }
          : 'default'
    })
}

/** A relay that answers one REQ at a time and refuses the others. */
function refusesMany(end: ReqAnswer['end']): Fault['arm'] {
  return (stage, phase) => {
    let open = 0
    misbehave(stage, phase, (behaviour, isHit) => {
      behaviour.onReq = async ({ filters, answer }) => {
        if (!filters.some(isHit)) return 'default'
        if (open > 0) return { rows: [], end }
        open += 1
        await new Promise((resolve) => setTimeout(resolve, 5))
        open -= 1
        return answer
      }
    })
  }
}

const TOO_LARGE = 'invalid: too many values'
const TOO_MANY = 'too many concurrent REQs'

/** A relay that asks for patience is asked again for minutes: its tests are end-to-end. */
const TAKEN_BACK = CLOSED_TEXTS.filter((text) => !text.startsWith('rate-limited'))

/** EOSE without a row, and CLOSED for the same REQ. */
function takesBack(reason: string, { when, lateDelayMs }: (typeof CLOSED_MOMENTS)[number]): Fault {
  return {
    name: `EOSE, and CLOSED ${reason} ${when}`,
    phases: PHASES,
    scripts: 'both',
    arm: answers(() => ({ rows: [], end: 'eose', closedLate: reason, lateDelayMs })),
    expected: (phase) => {
      if (isAtSource(phase)) return partial(new RegExp(`${reason}|listed by NIP-77 but not served`))
      // A target that is asked whether it holds an event, and denies it, is sent a duplicate. The network may part the
      // two.
      const heard = lateDelayMs > 0 ? [] : [isDoor(reason) ? 1 : 3]
      if (phase === 'asking the target') return { exit: [0, ...heard] }
      return { exit: [3, ...heard], says: new RegExp(`${reason}|OK, but it is not served`) }
    },
    laterSeconds: 40 * 60,
  }
}

describeMatrix('how a request ends', [
  ...REASONS.map((reason): Fault => ({
    name: `CLOSED ${reason}`,
    phases: PHASES,
    scripts: 'both',
    arm: closes(reason),
    expected: (phase) => ({
      exit: isDoor(reason) && !isAtSource(phase) ? 1 : 3,
      says: new RegExp(reason),
    }),
  })),
  {
    name: 'CLOSED rate-limited, again and again',
    // Patience is ten times the idle timeout.
    waits: true,
    phases: ['layer 3', 'layer 1', 'layer 2', 'asking the target', 'verifying'],
    scripts: 'both',
    arm: closes('rate-limited: slow down'),
    expected: partial(/closed: rate-limited: slow down/),
  },
  {
    name: 'CLOSED rate-limited, twice',
    phases: PHASES,
    scripts: 'both',
    arm: (stage, phase) => {
      let left = 2
      misbehave(stage, phase, (behaviour, isHit) => {
        behaviour.closeReq = (filter) => (isHit(filter) && (left -= 1) >= 0 ? 'rate-limited: slow down' : undefined)
      })
    },
    expected: { exit: 0 },
  },
  {
    name: 'narrow questions only',
    phases: ['layer 1', 'layer 2', 'layer 3'],
    scripts: 'source',
    arm: (stage, phase) =>
      misbehave(stage, phase, (behaviour, isHit) => {
        behaviour.ignores = (filter) => isHit(filter) && isScraper(filter)
      }),
    // What is asked by tags is asked with kinds then, and complete.
    expected: (phase) => (phase === 'layer 1' ? partial(/answers narrow questions only/) : { exit: 0 }),
  },
  {
    name: 'narrow questions only, everywhere',
    phases: LAYERS,
    scripts: 'source',
    arm: (stage, phase) => misbehave(stage, phase, (behaviour) => (behaviour.ignores = (filter) => isScraper(filter))),
    expected: partial(/answers narrow questions only/),
  },
  {
    name: 'EOSE on nothing, to strangers, as its document says',
    phases: LAYERS,
    scripts: 'source',
    arm: (stage, phase) =>
      misbehave(stage, phase, (behaviour, isHit) => {
        behaviour.document = { limitation: { auth_required: true } }
        behaviour.ignores = isHit
      }),
    expected: partial(/auth-required/),
  },
  {
    name: 'CLOSED without a reason',
    phases: PHASES,
    scripts: 'both',
    arm: closes(''),
    expected: partial(/closed without a reason/),
  },
  {
    name: 'NOTICE only',
    phases: PHASES,
    scripts: 'both',
    waits: true,
    arm: (stage, phase) =>
      misbehave(stage, phase, (behaviour, isHit) => {
        behaviour.onReq = ({ filters }) =>
          filters.some(isHit) ? { rows: [], end: { type: 'notice', text: 'come back tomorrow' } } : 'default'
        behaviour.onNegOpen = (filter) => (isHit(filter) ? { notice: 'come back tomorrow' } : 'default')
      }),
    expected: partial(/come back tomorrow/),
  },
  {
    name: 'EOSE never',
    phases: PHASES,
    scripts: 'both',
    waits: true,
    arm: answers((rows) => ({ rows, end: 'never' })),
    expected: partial(/(?:idle|no answer within) 0\.7 s/),
  },
  ...[
    { name: 'CLOSED for more than two values', arm: refusesLarge({ type: 'closed', reason: TOO_LARGE }) },
    { name: 'NOTICE for more than two values', arm: refusesLarge({ type: 'notice', text: TOO_LARGE }) },
    { name: 'CLOSED for more than one REQ at once', arm: refusesMany({ type: 'closed', reason: TOO_MANY }) },
    { name: 'NOTICE for more than one REQ at once', arm: refusesMany({ type: 'notice', text: TOO_MANY }) },
  ].map((limit): Fault => ({ ...limit, phases: PHASES, scripts: 'both', expected: { exit: 0 } })),
  ...CLOSED_MOMENTS.flatMap((moment) => TAKEN_BACK.map((reason) => takesBack(reason, moment))),
  {
    name: 'EOSE too early, 20 ms before every row',
    phases: LAYERS,
    scripts: 'source',
    arm: answers((rows) => ({ rows: [], late: rows, lateDelayMs: 20, end: 'eose' })),
    expected: partial(/came after its EOSE|listed by NIP-77 but not served/),
  },
  {
    name: 'EOSE too early, after two rows',
    phases: PHASES,
    scripts: 'both',
    arm: answers((rows) => ({ rows: rows.slice(0, 2), late: rows.slice(2), end: 'eose' })),
    expected: { exit: 0 },
  },
  {
    name: 'EOSE too early, before every row',
    phases: PHASES,
    scripts: 'both',
    arm: answers((rows) => ({ rows: [], late: rows, end: 'eose' })),
    expected: (phase) => {
      // A target that is asked whether it holds an event, and denies it, is sent a duplicate.
      if (phase === 'asking the target') return { exit: 0 }
      return partial(
        phase === 'verifying' ? /OK, but it is not served/ : /after its EOSE|listed by NIP-77 but not served/,
      )
    },
    laterSeconds: 40 * 60,
  },
])
