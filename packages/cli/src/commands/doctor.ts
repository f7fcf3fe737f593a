import { arch, release } from "node:os";
import { allCapabilities, type Capability, capabilitiesOf, realHost } from "@sandboxlib/core";
import { assertUsable, type CommandLine } from "../command-line.js";
import type { Finding } from "../doctor/finding.js";
import { tryHost } from "../doctor/trials.js";
import type { Io, Output } from "../io.js";
import { paint } from "../paint.js";
import { printable, printableJson } from "../printable.js";
import { NO_BACKEND, type Surveyed, survey } from "../survey.js";

/** Says what works here, what does not and why, and how to change that. Exit code 1 when no backend can be used. */
export async function doctor(line: CommandLine, { stdout }: Io): Promise<number> {
  assertUsable(line);
  const host = realHost();
  const [findings, found] = await Promise.all([tryHost(host), survey()]);
  const diagnoses = found.map((one) => diagnose(one, found));
  if (line.options.has("json")) {
    const { platform, uid } = host;
    stdout.write(
      printableJson({ host: { platform, kernel: release(), uid }, findings, backends: diagnoses }),
    );
  } else {
    stdout.write(`Host: ${host.platform} ${arch()}, kernel ${release()}, uid ${host.uid}\n`);
    for (const finding of findings) stdout.write(findingLines(finding, stdout));
    stdout.write("\nBackends\n");
    stdout.write(found.length === 0 ? `${mark(false, stdout)}${NO_BACKEND}\n` : "");
    for (const diagnosis of diagnoses) stdout.write(diagnosisLines(diagnosis, stdout));
  }
  return diagnoses.some(({ available }) => available) ? 0 : 1;
}

/** What is known of a backend, and what it is good for here. */
interface Diagnosis {
  readonly name: string;
  readonly available: boolean;
  readonly tool?: string;
  readonly reason?: string;
  readonly remedy?: string;
  readonly notes?: readonly string[];
  /** What it enforces here, or would if it were available. */
  readonly enforces: readonly Capability[];
  /** Of these, what no available backend enforces. */
  readonly gains: readonly Capability[];
  readonly lacks: readonly { readonly capability: Capability; readonly remedy?: string }[];
}

function diagnose(one: Surveyed, all: readonly Surveyed[]): Diagnosis {
  const { installed, backend, probe } = one;
  const enforces = enforcedBy(one);
  const here = new Set(all.filter((other) => other.probe.available).flatMap(enforcedBy));
  const declared = (capability: Capability): boolean =>
    backend !== undefined && capabilitiesOf(backend).has(capability);
  const lacks = probe.available ? (probe.missing ?? []) : [];
  return {
    name: installed.name,
    ...(probe.available
      ? {
          available: true,
          ...(probe.version !== undefined && { tool: probe.version }),
          notes: probe.notes ?? [],
        }
      : { available: false, reason: probe.reason, remedy: probe.remedy }),
    enforces,
    gains: probe.available ? [] : enforces.filter((capability) => !here.has(capability)),
    lacks: [
      ...lacks,
      ...allCapabilities()
        .filter((capability) => backend !== undefined && !declared(capability))
        .map((capability) => ({ capability })),
    ],
  };
}

function enforcedBy({ backend, probe }: Surveyed): Capability[] {
  const missing = probe.available ? (probe.missing ?? []).map(({ capability }) => capability) : [];
  const declared = backend && capabilitiesOf(backend);
  return allCapabilities().filter(
    (name) => declared?.has(name) === true && !missing.includes(name),
  );
}

function findingLines({ what, works, cause, fix }: Finding, to: Output): string {
  return lines(works, to, what, [
    ["cause", cause],
    ["fix", fix],
  ]);
}

function diagnosisLines(diagnosis: Diagnosis, to: Output): string {
  const { name, available, tool, reason, remedy, notes = [], enforces, gains, lacks } = diagnosis;
  const total = allCapabilities().length;
  const title = available
    ? `${name}${tool === undefined ? "" : ` (${tool})`}: enforces ${enforces.length} of ${total} capabilities`
    : `${name}: ${reason}`;
  const withRemedy = lacks.flatMap((lack) => (lack.remedy === undefined ? [] : [lack.remedy]));
  return lines(available, to, title, [
    ["fix", remedy],
    ["you would gain", gains.join(", ")],
    ["not", available ? lacks.map(({ capability }) => capability).join(", ") : ""],
    ...[...new Set(withRemedy)].map((fix) => ["fix", fix] as const),
    ...notes.map((note) => ["note", note] as const),
  ]);
}

function lines(
  works: boolean,
  to: Output,
  title: string,
  details: readonly (readonly [string, string | undefined])[],
): string {
  const shown = details.flatMap(([name, text]) =>
    text === undefined || text === "" ? [] : [`      ${name}: ${printable(text)}\n`],
  );
  return `${mark(works, to)}${printable(title)}\n${shown.join("")}`;
}

function mark(works: boolean, to: Output): string {
  return works ? paint(to, "green", "ok    ") : paint(to, "red", "no    ");
}
