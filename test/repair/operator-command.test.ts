import { execFileSync } from 'node:child_process'

import fc from 'fast-check'
import { npubEncode } from 'nostr-tools/nip19'
import { describe, expect, it } from 'vitest'

import { compareRefs } from '../../src/repair/compare-refs.ts'
import { operatorCommand, type CommandInput } from '../../src/repair/operator-command.ts'
import { quoteShell } from '../../src/repair/quote-shell.ts'
import { alice } from '../support/scenes.ts'

const [A, B] = ['a'.repeat(40), 'b'.repeat(40)]
const URL = 'https://git.example.org/x.git'
const HOLDER = { url: URL, ids: new Set([A, B]) }
const NPUB = npubEncode(alice.pubkey)

/** A target that has nothing but these refs, of which the state wants `main` at A. */
function inputFor(listed: Readonly<Record<string, string>>, changes: Partial<CommandInput> = {}): CommandInput {
  const wanted = { refs: new Map([['refs/heads/main', A]]), head: 'refs/heads/main', tips: new Map<string, string>() }
  const refs = new Map(Object.entries(listed))
  const listing = { type: 'refs', refs, head: 'refs/heads/main', format: 'sha1' } as const
  const comparison = compareRefs(wanted, listing, { tips: true })
  return { wanted, comparison, holders: [HOLDER], isBroken: false, isNgitRelay: false, ...changes }
}

function commandFor(input: CommandInput, d = 'tools'): string | undefined {
  return operatorCommand(`30617:${alice.pubkey}:${d}`, input)
}

describe('operatorCommand', () => {
  const git = `git -C "\${NGIT_GIT_DATA_PATH:?}"/${NPUB}/tools.git`

  it('fetches what is missing, by its id, from a server that has it', () => {
    expect(commandFor(inputFor({}))).toBe(
      `${git} -c transfer.fsckObjects=true -c http.followRedirects=false fetch --no-tags -- ${URL} +${A}:refs/heads/main`,
    )
  })

  it('removes what the state does not name', () => {
    expect(commandFor(inputFor({ 'refs/heads/main': A, 'refs/heads/old': B }))).toBe(
      `${git} update-ref -d refs/heads/old`,
    )
  })

  it('makes the repository first when there is none', () => {
    const comparison = compareRefs(inputFor({}).wanted, { type: 'no repository', reason: '404' }, { tips: true })
    const command = commandFor(inputFor({}, { comparison }))
    expect(command).toMatch(/^git init --bare .* && git -C .* fetch .*refs\/heads\/main && git -C .* symbolic-ref HEAD/)
  })

  it('leaves what it changes at ngit-relay to its user nginx', () => {
    const directory = `/srv/ngit-relay/repos/${NPUB}/tools.git`
    expect(commandFor(inputFor({ 'refs/heads/main': A, 'refs/heads/old': B }, { isNgitRelay: true }))).toBe(
      `cd ${directory} && git -c safe.directory='*' update-ref -d refs/heads/old && chown -R nginx:nginx .`,
    )
  })

  it('makes a repository of ngit-relay with its hooks: without them it would take any push', () => {
    const comparison = compareRefs(inputFor({}).wanted, { type: 'no repository', reason: '404' }, { tips: true })
    const command = commandFor(inputFor({}, { comparison, isNgitRelay: true }))
    expect(command).toContain(' && git config http.receivepack true && ')
    for (const hook of ['pre-receive', 'post-receive'])
      expect(command).toContain(` && ln -sf /usr/local/bin/ngit-relay-${hook} hooks/${hook} && `)
  })

  it('fetches everything again behind refs that are right', () => {
    expect(commandFor(inputFor({ 'refs/heads/main': A }, { isBroken: true }))).toContain('fetch --no-tags --refetch --')
  })

  it.each(['a/../../../../etc', '..', '', 'a\0b'])('gives no command for the identifier %j', (d) => {
    expect(commandFor(inputFor({}), d)).toBeUndefined()
  })

  it("keeps a stranger's identifier in one word", () => {
    const command = commandFor(inputFor({}), "'; touch x; '") ?? ''
    const words = execFileSync('sh', [
      '-c',
      `git() { for word; do echo "$word"; done; }; NGIT_GIT_DATA_PATH=/data; ${command}`,
    ])
    expect(String(words).split('\n')).toContain(`/data/${NPUB}/'; touch x; '.git`)
  })

  it('stays short enough to be pasted', () => {
    const refs = Array.from({ length: 500 }, (_, n) => [`refs/heads/${'é'.repeat(100)}${n}`, A] as const)
    const wanted = { refs: new Map(refs), head: null, tips: new Map<string, string>() }
    const comparison = compareRefs(
      wanted,
      { type: 'refs', refs: new Map(), head: null, format: 'sha1' },
      { tips: true },
    )
    expect(commandFor(inputFor({}, { wanted, comparison }))?.length).toBeLessThan(10_000)
  })
})

describe('quoteShell', () => {
  it('gives back any text as one word of printable letters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
        fc.pre(!text.includes('\0') && !/\p{Surrogate}/u.test(text))
        const quoted = quoteShell(text)
        expect(quoted).toMatch(/^[ -~]+$/)
        expect(String(execFileSync('bash', ['-c', `printf %s ${quoted}`]))).toBe(text)
      }),
      { numRuns: 40 },
    )
  })

  it('never gives an option', () => {
    expect(quoteShell('--upload-pack=x')).toBe("'--upload-pack=x'")
  })
})
