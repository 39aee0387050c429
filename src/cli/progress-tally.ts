import type { LayerName } from '../layer-name.ts'
import type { RunEvent } from '../run-event.ts'
import type { ProgressState } from './render/render-progress.ts'

/** Relays that the line names; discovery may bring many more. */
const MAX_NAMED = 100

type Served = Pick<Extract<RunEvent, { type: 'served' }>, 'served' | 'total' | 'lacking' | 'isVisited'>

/** What a run is doing now, and how much of it is done, added up from what happens. */
export class ProgressTally {
  readonly #nowMs: () => number
  readonly #waitingFor = new Set<string>()
  #doing: ProgressState['doing'] = 'connecting'
  #layer: LayerName = 'announcements'
  #events = new Map<string, number>()
  #sent = 0
  #git = { compared: 0, total: 0 }
  #total = 0
  #served: Served = { served: 0, total: 0, lacking: [], isVisited: false }
  /** When something was taken, or anybody came first. */
  #servedMs = 0
  #waiting = { events: 0, repositories: 0, orphans: 0, endMs: 0 }
  /** When the first event was sent. */
  #firstMs: number | undefined

  /** `nowMs`: the clock for the time left, in milliseconds. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Takes what happens. */
  tell(event: RunEvent): void {
    switch (event.type) {
      case 'connecting':
        if (this.#waitingFor.size < MAX_NAMED) this.#waitingFor.add(event.relay)
        return
      case 'connected':
      case 'disconnected':
        this.#waitingFor.delete(event.relay)
        return
      case 'phase':
        this.#doing = event.phase
        return
      case 'reading':
        return this.#read(event.layer)
      case 'page':
        return this.#addPage(event.source, event.events)
      case 'serving':
        this.#doing = 'serving'
        return
      case 'served':
        return this.#noteServed(event)
      case 'sending':
        return this.#send(this.#sent, this.#sent + event.events)
      case 'waiting':
        this.#doing = 'waiting'
        this.#waiting = { ...event, endMs: this.#nowMs() + event.leftMs }
        return
      case 'repairing':
        this.#doing = 'repairing git'
        this.#git = { compared: 0, total: event.total }
        return
      case 'repaired':
        this.#doing = 'repairing git'
        this.#git = { compared: event.repaired, total: event.total }
        return
      case 'git':
        this.#doing = 'comparing git'
        this.#git = event
        return
      case 'sent':
        this.#firstMs ??= this.#nowMs()
        return this.#send(event.sent, event.total)
      default:
    }
  }

  /** What to show now. */
  state(): ProgressState {
    const doing = this.#doing
    switch (doing) {
      case 'connecting':
        return { doing, waitingFor: [...this.#waitingFor] }
      case 'reading':
        return { doing, layer: this.#layer, perSource: [...this.#events].map(([url, events]) => ({ url, events })) }
      case 'selecting':
      case 'counting':
        return { doing }
      case 'sending':
        return { doing, sent: this.#sent, total: this.#total, leftMs: this.#leftMs() }
      case 'serving':
        return { doing, ...this.#served, quietMs: this.#nowMs() - this.#servedMs }
      case 'confirming':
        return { doing, sent: this.#sent }
      case 'waiting': {
        const { events, repositories, orphans, endMs } = this.#waiting
        return { doing, events, repositories, orphans, leftMs: Math.max(0, endMs - this.#nowMs()) }
      }
      case 'comparing git':
      case 'repairing git':
        return { doing, compared: this.#git.compared, total: this.#git.total }
    }
  }

  #noteServed(event: Extract<RunEvent, { type: 'served' }>): void {
    if (event.served !== this.#served.served || !this.#served.isVisited) this.#servedMs = this.#nowMs()
    this.#served = event
  }

  /** The layers of a later round count anew. */
  #read(layer: LayerName): void {
    if (this.#doing !== 'reading' || layer !== this.#layer) this.#events = new Map()
    this.#doing = 'reading'
    this.#layer = layer
  }

  #addPage(source: string, events: number): void {
    const before = this.#events.get(source)
    if (before !== undefined || this.#events.size < MAX_NAMED) this.#events.set(source, (before ?? 0) + events)
  }

  #send(sent: number, total: number): void {
    this.#doing = 'sending'
    this.#sent = sent
    this.#total = Math.max(this.#total, total)
  }

  #leftMs(): number {
    const done = this.#sent - 1
    if (this.#firstMs === undefined || done < 1) return 0
    return ((this.#nowMs() - this.#firstMs) / done) * (this.#total - this.#sent)
  }
}
