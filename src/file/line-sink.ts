/** The destination of lines: a file or a stream. */
export interface LineSink {
  /** Writes all of these complete lines; otherwise throws and, if possible, leaves none of them. */
  write(lines: Buffer): Promise<void>
  /** Makes written lines survive a power cut, if possible. */
  flush(): Promise<void>
  close(): Promise<void>
}
