/** Where text goes, and whether people read it there. */
export interface Output {
  readonly color: boolean;
  /** Whether a line can be taken back there. */
  readonly live?: boolean;
  write(text: string): void;
}

/** The two outputs of a command. A program that is run does not come past here: it has the real ones. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
}
