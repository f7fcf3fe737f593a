import type { ResolvedConfig } from "../backend/resolved-config.js";
import { type HostMounts, parseMountinfo } from "../host/mountinfo.js";
import { findingsOf } from "./mounts.js";
import type { Finding, Sight } from "./sight.js";

/**
 * Holds the text of `/proc/PID/mountinfo` of pid 1 of a sandbox against what the config asks for. Most sandboxes of one
 * config have tables that say the same: what was found of one is remembered for the next, and only what the table does
 * not settle is looked at again.
 */
export function findingsIn(
  config: ResolvedConfig,
  pid: number,
  text: string,
  host: HostMounts,
  own: Sight["own"] = new Map(),
): readonly Finding[] {
  // A directory of one run must not be taken for that of another.
  const shape = own.size > 0 ? undefined : shapeOf(text, host);
  const last = remembered.get(config);
  if (shape !== undefined && last?.shape === shape && last.host === host)
    return last.findings.map((found) =>
      found.look === undefined ? found : { ...found, isRight: found.look(pid) },
    );
  const findings = findingsOf(config, pid, parseMountinfo(text), host, own);
  if (shape !== undefined && findings.every(({ isRight }) => isRight !== false))
    remembered.set(config, { shape, host, findings });
  return findings;
}

/** The last table in which nothing was wrong. */
interface Remembered {
  readonly shape: string;
  /** That against which it was held. */
  readonly host: HostMounts;
  readonly findings: readonly Finding[];
}

const remembered = new WeakMap<ResolvedConfig, Remembered>();

/**
 * The text, but for the numbers that the kernel gives anew: those of mounts, and of file systems that the host does not
 * see, are counted in the order in which they come. Undefined where a mount has the number of one of the host's.
 */
function shapeOf(text: string, host: HostMounts): string | undefined {
  const numbers = new Map<string, number>();
  const count = (number: string): number => {
    const known = numbers.get(number) ?? numbers.size;
    numbers.set(number, known);
    return known;
  };
  let shape = "";
  for (const line of text.split("\n")) {
    const parentAt = line.indexOf(" ") + 1;
    const deviceAt = line.indexOf(" ", parentAt) + 1;
    const end = line.indexOf(" ", deviceAt);
    const id = line.slice(0, parentAt);
    if (host.ids.has(id.trimEnd())) return undefined;
    const device = line.slice(deviceAt, end);
    const shown = host.devices.has(device) ? device : count(device);
    shape += `${count(id)} ${count(line.slice(parentAt, deviceAt))} ${shown}${line.slice(end)}\n`;
  }
  return shape;
}
