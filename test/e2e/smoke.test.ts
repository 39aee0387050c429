import { expect, it } from 'vitest'
import { announcement, issue, comment, state, repositoryAddress } from '../support/builders.ts'
import { keyOf } from '../support/sign.ts'
import { createWorkbench, idsOf } from '../support/workbench.ts'

it('smoke', async () => {
  const bench = createWorkbench()
  const alice = keyOf('alice')
  const hello = announcement(alice, 'hello', { createdAt: 1_700_000_000 })
  const bug = issue(repositoryAddress(alice, 'hello'), keyOf('bob'), { createdAt: 1_700_000_100 })
  const events = [hello, state(alice, 'hello', { createdAt: 1_700_000_050 }), bug, comment(bug, alice, { createdAt: 1_700_000_200 })]
  const t0 = Date.now()
  const [source, target] = await Promise.all([bench.real({ events }), bench.real()])
  const t1 = Date.now()
  const first = await bench.catchup(source, target)
  const t2 = Date.now()
  console.log(first.code, JSON.stringify(first.report, null, 1), first.stderr)
  expect(idsOf(target.events())).toEqual(idsOf(events))
  const second = await bench.catchup(source, target)
  console.log(t1 - t0, t2 - t1, Date.now() - t2)
  console.log(second.code, JSON.stringify(second.report))
  console.log((await bench.run(['catchup', '--source', source.url, '--target', target.url, '--verbose'])).stdout)
})
