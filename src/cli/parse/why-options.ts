import type { RunOptions } from '../../report/run-options.ts'
import type { Subject } from '../../report/why.ts'
import type { UnixSeconds } from '../../time.ts'
import { escapeForTerminal } from '../escape.ts'
import type { OptionReader } from './option-reader.ts'
import { OPTIONS } from './option-table.ts'
import { parseSubject } from './parse-subject.ts'
import { readRun } from './read-run.ts'

/** What `why` is asked about, and by which run it judges: one like `check`. Without a target, `options` has an empty one. */
export type WhyOptions = {
  readonly subject: Subject
  readonly options: RunOptions
  /** Only the state file is asked. */
  readonly isOffline: boolean
}

type Reading = {
  readonly argument?: string | undefined
  readonly reader: OptionReader
  readonly problems: string[]
  readonly now: UnixSeconds
}

/** Reads the options of `why`. Source and target may be left out: the state file knows them. */
export function readWhy(reading: Reading): WhyOptions {
  const { reader, problems, argument } = reading
  const options = readRun('check', { ...reading, endsMayBeAbsent: true })
  for (const spec of [OPTIONS.source, OPTIONS.target]) {
    const given = spec === OPTIONS.source ? options.sources : [options.target]
    if (given.includes('-'))
      problems.push(`${reader.originOf(spec) ?? ''} - cannot be asked: why needs a relay or a file`)
  }
  return { subject: readSubject(argument, problems), options, isOffline: reader.isOn(OPTIONS.offline) }
}

/** Reports a missing event only if there is no other problem, because an unknown option may have claimed it. */
function readSubject(argument: string | undefined, problems: string[]): Subject {
  const none: Subject = { type: 'id', id: '' }
  if (argument === undefined) {
    if (problems.length === 0) problems.push('no event: give its id, as in ngit-sync why nevent1…')
    return none
  }
  const parsed = parseSubject(argument)
  if (parsed.type === 'ok') return parsed.value
  const shown = parsed.secret ? 'the event' : `"${escapeForTerminal(argument, { maxLength: 100 })}"`
  problems.push(`${shown} ${parsed.problem}`)
  return none
}
