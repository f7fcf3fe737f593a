import { isRequired } from "@sandboxlib/test-support";
import { describe } from "vitest";
import { sandboxlib } from "./cli.js";

interface State {
  readonly name: string;
  readonly available: boolean;
  readonly reason?: string;
}

type Env = Readonly<Record<string, string>>;

/** Why the tests of a backend cannot run here; undefined when they can. */
async function whyNot(name: string, env: Env): Promise<string | undefined> {
  const { stdout } = await sandboxlib(["backends", "--json"], { env });
  const state = (JSON.parse(stdout) as State[]).find((backend) => backend.name === name);
  const reason = state === undefined ? "is not installed" : (state.reason ?? "");
  if (state?.available === true) return undefined;
  if (isRequired(name)) {
    throw new Error(`SANDBOXLIB_REQUIRE names ${name}, which cannot be used here: ${reason}`);
  }
  return reason;
}

/** Describes what needs a backend; skipped, with the reason in the title, where it is not available. */
export async function describeWith(
  name: string,
  title: string,
  body: () => void,
  env: Env = {},
): Promise<void> {
  const reason = await whyNot(name, env);
  if (reason === undefined) describe(`${title} (${name})`, body);
  else describe.skip(`${title} (${name}, skipped: ${reason})`, body);
}
