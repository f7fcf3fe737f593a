/** What came of an attempt. */
export interface Seen {
  /** `untried` where it would prove nothing: what is attacked is not there, or the attempt fails outside as well. */
  readonly outcome: "succeeded" | "refused" | "untried";
  /** What was seen, in a few words: which way succeeded, with which error each was refused, or why nothing was tried. */
  readonly seen: string;
}

/** The attempt has succeeded. */
export function succeeded(seen: string): Seen {
  return { outcome: "succeeded", seen };
}

/** The attempt has failed for the reason for which it should. */
export function refused(seen: string): Seen {
  return { outcome: "refused", seen };
}

/** Nothing was tried that would prove anything. */
export function untried(seen: string): Seen {
  return { outcome: "untried", seen };
}
