import { capabilitiesOf } from "@sandboxlib/core/backend";
import { assertUsable, type CommandLine } from "../command-line.js";
import { type Io, type Output, paint, printable, printableJson, table } from "../output.js";
import { NO_BACKEND, type Surveyed, survey } from "../survey.js";

/** Lists the installed backends, and why one of them does not work here. */
export async function backends(line: CommandLine, { stdout }: Io): Promise<number> {
  assertUsable(line);
  const found = await survey();
  if (line.options.has("json")) stdout.write(printableJson(found.map(asData)));
  else stdout.write(found.length === 0 ? `${NO_BACKEND}\n` : asTable(found, stdout));
  return 0;
}

function asData({ installed, backend, probe }: Surveyed): Record<string, unknown> {
  const { name, packageName, version, directory, platforms } = installed;
  const { version: tool, ...rest } = { version: undefined, ...probe };
  return {
    name,
    packageName,
    version,
    directory,
    platforms,
    tool,
    ...rest,
    capabilities: backend && capabilitiesOf(backend),
    partly: backend?.partly,
  };
}

function asTable(found: readonly Surveyed[], stdout: Output): string {
  const rows = found.map(({ installed: { name, packageName, version }, probe }) => {
    const tool = probe.available ? (probe.version ?? "") : "";
    return [
      name,
      probe.available ? "available" : "unavailable",
      `${packageName} ${version}`,
      tool,
    ].map(printable);
  });
  const [head = "", ...lines] = table([["BACKEND", "STATE", "PACKAGE", "TOOL"], ...rows]);
  const body = lines.flatMap((text, index) => {
    const { probe, backend } = found[index] ?? {};
    const style = probe?.available === true ? "green" : "red";
    const colored = text.replace(/ (un)?available/, (state) => paint(stdout, style, state));
    return [colored, ...detailsOf(probe, backend).map((detail) => `  ${printable(detail)}`)];
  });
  return [paint(stdout, "bold", head), ...body, ""].join("\n");
}

function detailsOf(probe: Surveyed["probe"] | undefined, backend: Surveyed["backend"]): string[] {
  if (probe === undefined) return [];
  if (!probe.available) return [`reason: ${probe.reason}`, `remedy: ${probe.remedy}`];
  const missing = (probe.missing ?? []).flatMap(({ capability, reason, remedy }) => [
    `lacks ${capability}: ${reason}`,
    ...(remedy === undefined ? [] : [`remedy: ${remedy}`]),
  ]);
  const parts = Object.entries(backend?.partly ?? {});
  return [
    ...missing,
    ...parts.map(([word, part]) => `in part ${word}: ${part}`),
    ...(probe.notes ?? []).map((note) => `note: ${note}`),
  ];
}
