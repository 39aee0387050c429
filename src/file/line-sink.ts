/** Where lines are written: a file or a stream. */
export interface LineSink {
  /** Writes all of these complete lines, or throws and leaves nothing of them where that can be helped. */
  write(lines: Buffer): Promise<void>
  /** Makes what was written survive a power cut, where that is possible. */
  flush(): Promise<void>
  close(): Promise<void>
}
