import { isSandboxError, type SandboxError } from "@sandboxlib/core";
import { assertUsable, type CommandLine } from "../command-line.js";
import { asText } from "../explain/text.js";
import { granted, refused } from "../explain/verdict.js";
import type { Io } from "../io.js";
import { printableJson } from "../printable.js";
import { askedBy } from "../ready.js";
import { preferOf } from "../sandbox-from-line.js";

/** Says what a run would enforce and how, or why it would be refused; then the refusal is thrown, as in a run. */
export async function explain(line: CommandLine, io: Io): Promise<number> {
  assertUsable(line);
  const prefer = preferOf(line);
  const asked = await askedBy(line, io);
  const { written } = asked;
  let refusal: SandboxError | undefined;
  const verdict = await asked.open().then(
    async ({ sandbox, close }) => close().then(() => granted(sandbox, written.origins)),
    async (error: unknown) => {
      // A config that is not valid asks for nothing that could be explained.
      if (!isSandboxError(error) || error.code === "CONFIG_INVALID") throw error;
      refusal = error;
      return refused(error, line, written, prefer);
    },
  );
  const { stdout } = io;
  stdout.write(line.options.has("json") ? printableJson(verdict) : asText(verdict, stdout));
  if (refusal !== undefined) throw refusal;
  return 0;
}
