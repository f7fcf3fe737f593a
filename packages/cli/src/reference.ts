import { commandNames } from "./commands.js";
import { helpFor, overview } from "./help.js";

/** docs/cli.md: what `--help` says, on one page. A test holds the file equal to it. */
export function reference(): string {
  const commands = commandNames().flatMap((name) => [
    `## \`sandboxlib ${name}\`${name === "run" ? " and `run-sandbox`" : ""}`,
    "",
    ...block(helpFor(name, name === "run" ? "run-sandbox" : `sandboxlib ${name}`)),
  ]);
  return [
    "# Command line",
    "",
    "<!-- Generated from the tables in packages/cli/src; `npx vitest run --project cli -u reference` writes it anew. Do not edit. -->",
    "",
    ...block(overview()),
    ...commands,
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}

function block(text: string): string[] {
  return ["```text", text.trimEnd(), "```", ""];
}
