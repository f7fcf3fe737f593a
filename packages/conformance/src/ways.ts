import type { Capability, ConfigInput, RunOptions, SandboxChild } from "@sandboxlib/core";
import type { Case } from "./case.js";
import type { Context } from "./context.js";
import type { Script } from "./opened.js";

/** Starts a script in one of the ways that there are. */
export type Spawn = (
  script: Script,
  extra?: ConfigInput,
  options?: Omit<RunOptions, "passFds">,
) => Promise<SandboxChild>;

interface Way {
  readonly name: string;
  readonly needs: readonly Capability[];
  readonly spawn: (context: Context) => Spawn;
}

const WAYS: readonly Way[] = [
  { name: "a run", needs: [], spawn: ({ spawn }) => spawn },
  {
    name: "a session",
    needs: ["session"],
    spawn:
      ({ session, words }) =>
      async (script, extra, options) =>
        (await session(extra)).spawn(words(script), options),
  },
  {
    name: "a pool",
    needs: ["pool"],
    spawn:
      ({ pool, words }) =>
      async (script, extra, options) =>
        (await pool(1, extra)).spawn(words(script), options),
  },
];

/** A rule that holds in whatever way a command is started: a case for each. */
export function inEveryWay(
  title: string,
  run: (spawn: Spawn, context: Context) => Promise<void>,
  more: Omit<Case, "title" | "run"> = {},
): Case[] {
  return WAYS.map(({ name, needs, spawn }) => ({
    ...more,
    title: `${title}, in ${name}`,
    needs: [...(more.needs ?? []), ...needs],
    run: (context) => run(spawn(context), context),
  }));
}
