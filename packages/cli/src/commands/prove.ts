import { type Proof, type Proved, prove as proveSandbox } from "@sandboxlib/prove";
import { assertUsable, type CommandLine } from "../command-line.js";
import { inOptions, type Origins, withOrigin } from "../origins.js";
import { type Io, type Output, paint, printable, printableJson, type Style } from "../output.js";
import { sandboxFromLine } from "../sandbox-from-line.js";
import { sandboxOptions } from "../sandbox-request.js";

/** Attacks the sandbox of a command line, and prints what held. Exit code 1 if something that is promised failed. */
export async function prove(line: CommandLine, io: Io): Promise<number> {
  assertUsable(line);
  const { written } = await sandboxFromLine(line, io, {
    reason: ", into which the programs that attack cannot be put",
    hint: "Unpack it, and name the directory.",
  });
  const { config, origins } = written;
  const proof = await proveSandbox(config, sandboxOptions(line)).catch((error: unknown) => {
    throw withOrigin(error, origins);
  });
  const isWhole = line.options.has("verbose");
  const { stdout } = io;
  stdout.write(
    line.options.has("json") ? printableJson(proof) : asText(proof, origins, isWhole, stdout),
  );
  return proof.attacks.some(({ verdict }) => verdict === "failed") ? 1 : 0;
}

const GROUPS: readonly (readonly [Proved["verdict"], string, Style])[] = [
  ["held", "Held: promised to fail, and did", "green"],
  ["failed", "Failed: promised to fail, and succeeded", "red"],
  ["not-claimed", "Not claimed: nothing here promises that it fails", "yellow"],
  ["not-tried", "Not tried: it would have proved nothing", "bold"],
];

function asText(
  { backend, attacks }: Proof,
  origins: Origins,
  isWhole: boolean,
  to: Output,
): string {
  const title = paint(to, "bold", `Attacks on the sandbox of the backend ${printable(backend)}`);
  const groups = GROUPS.map(([verdict, meaning, style]) => {
    const found = attacks.filter((attack) => attack.verdict === verdict);
    const isShort = verdict === "not-tried" && !isWhole;
    const head = `\n${paint(to, style, `${meaning}: ${found.length}`)}\n`;
    return found.length === 0
      ? ""
      : isShort
        ? `${head}      --verbose lists them.\n`
        : head + found.map((attack) => lines(attack, origins)).join("");
  });
  return `${title}\n${groups.join("")}`;
}

function lines(
  { title, about, verdict, succeeded, seen, remedy }: Proved,
  origins: Origins,
): string {
  const words = about === "always" || about.length === 0 ? "" : ` (${about.join(", ")})`;
  const all = verdict === "not-claimed" && !succeeded ? `fails all the same: ${seen}` : seen;
  const fix = remedy === undefined ? "" : `      fix: ${printable(inOptions(remedy, origins))}\n`;
  return `  ${title}${words}\n      ${printable(all)}\n${fix}`;
}
