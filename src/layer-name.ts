/** The layers of a run, in reading order: each takes its anchors from those before it. */
export type LayerName = 'announcements' | 'repositories' | 'threads' | 'follow-ups'
