import type { CommandOptions, Pool, SandboxResult, Session } from "@sandboxlib/core";

/** A result with its outputs as text. */
export type Ran = SandboxResult & {
  readonly out: string;
  readonly err: string;
};

/** A shell script, or one with its arguments. */
export type Script = string | readonly [string, ...string[]];

/** A session whose parts can be taken out of it. */
export interface SessionParts extends AsyncDisposable {
  readonly backend: string;
  readonly run: Session["run"];
  readonly spawn: Session["spawn"];
  readonly close: Session["close"];
}

/** A pool whose parts can be taken out of it. */
export interface PoolParts extends AsyncDisposable {
  readonly backend: string;
  readonly run: Pool["run"];
  readonly spawn: Pool["spawn"];
  readonly ready: Pool["ready"];
  readonly close: Pool["close"];
}

/** Something that also runs shell scripts. */
export type WithShell<Opened> = Opened & {
  readonly sh: (script: Script, options?: CommandOptions) => Promise<Ran>;
};

/** Adds `sh`, which runs a shell script, to a session or a pool. */
export function withShell<Opened extends Pick<SessionParts, "run">>(
  opened: Opened,
  words: (script: Script) => string[],
): WithShell<Opened> {
  return {
    ...opened,
    sh: async (script, options) => readable(await opened.run(words(script), options)),
  };
}

/** Adds the text of the outputs. */
export function readable(result: SandboxResult): Ran {
  const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
  return { ...result, out: text(result.stdout), err: text(result.stderr) };
}
