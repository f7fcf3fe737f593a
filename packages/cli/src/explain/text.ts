import type { Output } from "../io.js";
import { paint, type Style } from "../paint.js";
import { printable } from "../printable.js";
import { table } from "../table.js";
import type { Considered, ExplainedNeed, Verdict } from "./verdict.js";

/** A verdict for people. */
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
