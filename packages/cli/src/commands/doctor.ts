import { arch, release } from "node:os";
import { allCapabilities, type Capability } from "@sandboxlib/core";
import { type Backend, capabilitiesOf, realHost } from "@sandboxlib/core/backend";
import { assertUsable, type CommandLine } from "../command-line.js";
import { checkHost, type Finding } from "../doctor/check-host.js";
import { pagesHere } from "../doctor/places.js";
import { type Io, type Output, paint, printable, printableJson } from "../output.js";
import { NO_BACKEND, type Surveyed, survey } from "../survey.js";

/** Prints what works on this host, what does not and why, and how to fix it. Exit code 1 if no backend can be used. */
export async function doctor(line: CommandLine, { stdout }: Io): Promise<number> {
  assertUsable(line);
  const host = realHost();
  const [checks, found] = await Promise.all([checkHost(host), survey()]);
  const pages = pagesHere();
  const states = found.map((one) => stateOf(one, found));
  if (line.options.has("json")) {
    const { platform, uid } = host;
    stdout.write(
      printableJson({
        host: { platform, kernel: release(), uid },
        pages,
        findings: checks,
        backends: states,
      }),
    );
  } else {
    stdout.write(`Host: ${host.platform} ${arch()}, kernel ${release()}, uid ${host.uid}\n`);
    for (const { marker, url } of pages) stdout.write(`      ${printable(marker)}: see ${url}\n`);
    for (const check of checks) stdout.write(checkLines(check, stdout));
    stdout.write("\nBackends\n");
    stdout.write(found.length === 0 ? `${mark(false, stdout)}${NO_BACKEND}\n` : "");
    for (const state of states) stdout.write(stateLines(state, stdout));
  }
  return states.some(({ available }) => available) ? 0 : 1;
}

/** Whether a backend works here, and which capabilities it has. */
interface BackendState {
  readonly name: string;
  readonly available: boolean;
  readonly tool?: string;
  readonly reason?: string;
  readonly remedy?: string;
  readonly notes?: readonly string[];
  /** What it enforces here, or would if it were available. */
  readonly enforces: readonly Capability[];
  /** Those of them that no available backend enforces. */
  readonly gains: readonly Capability[];
  /** Which part of a capability it enforces, where that is not all of it. */
  readonly partly?: NonNullable<Backend["partly"]>;
  readonly lacks: readonly { readonly capability: Capability; readonly remedy?: string }[];
}

function stateOf(one: Surveyed, all: readonly Surveyed[]): BackendState {
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
    ...(backend?.partly !== undefined && { partly: backend.partly }),
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

function checkLines({ what, works, cause, fix = "" }: Finding, to: Output): string {
  return lines(works, to, what, [
    ["cause", cause],
    ...fix.split("\n").map((line) => ["fix", line] as const),
  ]);
}

function stateLines(state: BackendState, to: Output): string {
  const { name, available, tool, reason, remedy, notes = [], enforces, gains, lacks } = state;
  const parts = Object.entries(state.partly ?? {}).map(([word, part]) => `${word} (${part})`);
  const total = allCapabilities().length;
  const title = available
    ? `${name}${tool === undefined ? "" : ` (${tool})`}: enforces ${enforces.length} of ${total} capabilities`
    : `${name}: ${reason}`;
  const withRemedy = lacks.flatMap((lack) => (lack.remedy === undefined ? [] : [lack.remedy]));
  return lines(available, to, title, [
    ["fix", remedy],
    ["you would gain", gains.join(", ")],
    ["not", available ? lacks.map(({ capability }) => capability).join(", ") : ""],
    ["in part", available ? parts.join(", ") : ""],
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
