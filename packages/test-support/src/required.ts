/** Whether `SANDBOXLIB_REQUIRE`, a list with commas, names a backend: its tests then fail where they would be skipped. */
export function isRequired(backend: string): boolean {
  const names = process.env["SANDBOXLIB_REQUIRE"]?.split(",") ?? [];
  return names.some((name) => name.trim() === backend);
}

/** What a test file needs to know before it describes something that this host may lack. */
export interface SkipOrRequire {
  /** Why it cannot run here; undefined when it can. */
  readonly reason: string | undefined;
  /** The reason as the end of a title; empty when there is none. */
  readonly note: string;
  /** Whether to skip: what is required is run, and fails. */
  readonly skip: boolean;
}

/** Decides whether the tests of a backend run, from the reason why they cannot. */
export function skipOrRequire(backend: string, reason: string | undefined): SkipOrRequire {
  const note = reason === undefined ? "" : ` (skipped: ${reason})`;
  return { reason, note, skip: reason !== undefined && !isRequired(backend) };
}
