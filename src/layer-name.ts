/** What a run reads, one layer after another: the anchors of each come from those before it. */
export type LayerName = 'announcements' | 'repositories' | 'threads' | 'follow-ups'
