/** What came of one thing that was tried. */
export interface Finding {
  /** What was tried, with the command that a user can try as well. */
  readonly what: string;
  readonly works: boolean;
  /** Why it does not work. */
  readonly cause?: string;
  /** The command that changes that, or what else to do. */
  readonly fix?: string;
}
