import { it } from 'vitest'
import { smallRepository } from '../support/scenes.ts'
import { connectTiny } from '../support/tiny-client.ts'
import { createInteropBench } from './support/interop-bench.ts'
it('outage', async () => {
    const bench = createInteropBench()
    const { events } = smallRepository()
    const r = await bench.foreign('rnostr')
    const show = async (l: string) => { const c = await connectTiny(r.url); const out = []; for (const e of events) out.push((await c.query({ ids: [e.id] })).length); console.log(l, out, (await c.query({ kinds: [30617, 30618, 1621, 1111] })).length, (await c.query({since: 1})).length); c.close() }
    await r.seed(events.slice(0, 2)); await show('two')
    await r.stop(); await r.restart(); await show('restarted')
    await r.seed(events.slice(2, 3)); await show('three')
    await r.seed(events.slice(3, 4)); await show('four')
    await r.restart(); await show('restarted')
})
