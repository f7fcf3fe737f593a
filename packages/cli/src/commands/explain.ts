import { isSandboxError, type SandboxError } from "@sandboxlib/core";
import { assertUsable, type CommandLine } from "../command-line.js";
import { configFromOptions } from "../config-from-options.js";
import { asText } from "../explain/text.js";
import { granted, refused } from "../explain/verdict.js";
import type { Io } from "../io.js";
import { printableJson } from "../printable.js";
import { preferOf, sandboxFrom } from "../sandbox-from-line.js";

/** Says what a run would enforce and how, or why it would be refused; then the refusal is thrown, as in a run. */
export async function explain(line: CommandLine, { stdout }: Io): Promise<number> {
  assertUsable(line);
  const prefer = preferOf(line);
  const written = configFromOptions(line);
  let refusal: SandboxError | undefined;
  const verdict = await sandboxFrom(line, written).then(
    (sandbox) => granted(sandbox, written.origins),
    async (error: unknown) => {
      // A config that is not valid asks for nothing that could be explained.
      if (!isSandboxError(error) || error.code === "CONFIG_INVALID") throw error;
      refusal = error;
      return refused(error, line, written, prefer);
    },
  );
  stdout.write(line.options.has("json") ? printableJson(verdict) : asText(verdict, stdout));
  if (refusal !== undefined) throw refusal;
  return 0;
}
