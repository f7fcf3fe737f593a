import { isSandboxError, type SandboxError } from "@sandboxlib/core";
import { assertUsable, type CommandLine } from "../command-line.js";
import {
  type Io,
  type Output,
  paint,
  printable,
  printableJson,
  type Style,
  table,
} from "../output.js";
import { sandboxFromLine } from "../sandbox-from-line.js";
import { preferOf } from "../sandbox-request.js";
import { type Considered, type ExplainedNeed, granted, refused, type Verdict } from "../verdict.js";

/**
 * Prints what a run would enforce and how, or why it would be refused.
 *
 * @throws SandboxError the refusal, as a run would throw it.
 */
export async function explain(line: CommandLine, io: Io): Promise<number> {
  assertUsable(line);
  const prefer = preferOf(line);
  const request = await sandboxFromLine(line, io);
  const { written } = request;
  let refusal: SandboxError | undefined;
  const verdict = await request.open().then(
    async ({ sandbox, close }) => close().then(() => granted(sandbox, written.origins)),
    async (error: unknown) => {
      // An invalid config has no needs that could be explained.
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

/** A verdict as text for people. */
export function asText(verdict: Verdict, to: Output): string {
  if (verdict.verdict === "runs") {
    const title = paint(to, "bold", `Runs with the backend ${printable(verdict.backend)}`);
    return `${title}\n${needLines(verdict.needs, to)}`;
  }
  const title = paint(to, "bold", "Refused");
  return `${title}: ${printable(verdict.error.message)}\n${verdict.backends.map((one) => considered(one, to)).join("")}`;
}

function considered({ name, unavailable, needs }: Considered, to: Output): string {
  const title = paint(to, "bold", printable(name));
  if (unavailable !== undefined) return `\n${title}: cannot run here: ${printable(unavailable)}\n`;
  const open = needs.filter(({ status }) => status !== "enforced");
  const rest = `${open.length === 0 ? "would enforce" : "would enforce the other"} ${needs.length - open.length} needs`;
  return `\n${title}: ${rest}\n${needLines(open, to)}`;
}

const STYLES: Readonly<Record<ExplainedNeed["status"], Style>> = {
  enforced: "green",
  dropped: "yellow",
  refused: "red",
};

function needLines(needs: readonly ExplainedNeed[], to: Output): string {
  const rows = needs.map(({ status, capability, path, origin, because }) =>
    [
      status,
      capability,
      origin === undefined ? `${path} (default)` : `${path} (${origin})`,
      because,
    ].map(printable),
  );
  return table(rows)
    .map((line, index) => {
      const status = needs[index]?.status ?? "refused";
      const notes = (needs[index]?.notes ?? []).map((note) => `    note: ${printable(note)}\n`);
      return `  ${paint(to, STYLES[status], status)}${line.slice(status.length)}\n${notes.join("")}`;
    })
    .join("");
}
