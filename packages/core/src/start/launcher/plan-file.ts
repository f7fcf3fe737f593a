import { lstatSync, statSync } from "node:fs";
import type { LauncherPlan } from "../../backend/plan.js";
import type { ResolvedConfig } from "../../backend/resolved-config.js";
import { CGROUP_LIMITS } from "../../cgroup/setting.js";
import type { Word } from "../../config/text.js";
import { rlimitsOf } from "../../host/rlimit.js";
import { SandboxError } from "../../result/error.js";
import type { Enforced } from "../../result/result.js";
import { numberOf } from "../../result/signal.js";
import { masksIn } from "../../verify/masks.js";
import type { Prepared } from "../prepared.js";
import { record, str, strs, u8, u32, u64 } from "./frame.js";
import { encodeSetup } from "./setup.js";

/**
 * What the launcher needs to run commands without this process, see `PROTOCOL.md` of `@sandboxlib/launcher`: the set-up,
 * and what must still be true by then.
 *
 * @param argv - The command where the launcher is given none.
 * @throws SandboxError `CAPABILITY_UNSUPPORTED` for what the launcher alone cannot do.
 */
export function encodePlanFile(prepared: Prepared, argv: readonly Word[] | undefined): Buffer {
  const { config } = prepared;
  const plan = assertAlone(prepared);
  const files = filesOf(plan);
  const limits = rlimitsOf(config.limits).map(({ resource, soft, hard }) =>
    record("L", u8(resource), u64(soft), u64(hard)),
  );
  const limitBytes = Buffer.concat(limits);
  const bytes = Buffer.concat([
    Buffer.from("SBXPLAN1", "latin1"),
    u32(prepared.host.uid),
    u32(prepared.host.gid),
    launcherFile(plan.argv[0]),
    u32(files.length),
    ...files.map(([field, path]) => fileOf(field, path)),
    str(config.cwd),
    strs(argv ?? []),
    strs(Object.entries(config.env).map(([name, value]) => `${name}=${value}`)),
    u32(limitBytes.length),
    limitBytes,
    terms(config),
    str(receiptOf(prepared, plan)),
    encodeSetup(plan.setup, "run"),
  ]);
  return Buffer.concat([bytes, u32(sumOf(bytes))]);
}

/** Returns the plan, for which the launcher is enough. */
function assertAlone({ plan, config, backend, hasGroup }: Prepared): LauncherPlan {
  if (plan.kind !== "launcher" || plan.argv.length !== 1)
    throw refused("backend", `${backend} cannot run without this library`, HINT_BACKEND);
  if (config.overlay !== undefined)
    throw refused("overlay", "the launcher alone does not look after an overlay", HINT_RUN);
  const limit = CGROUP_LIMITS.find((name) => config.limits[name] !== undefined);
  if (limit !== undefined)
    throw refused(
      `limits.${limit}`,
      "it takes a cgroup, which the launcher alone does not make",
      HINT_RUN,
    );
  if (hasGroup) throw refused("cgroup", "the launcher alone makes no cgroup", HINT_RUN);
  return plan;
}

const HINT_BACKEND = "Plan with the backend namespaces: `--backend namespaces`.";
const HINT_RUN = "Leave it out of the plan, or use `run-sandbox`.";

function refused(path: string, why: string, hint: string): SandboxError {
  return new SandboxError("CAPABILITY_UNSUPPORTED", `${path}: ${why}`, { path, hint });
}

/** When a run is to end, and the mounts that have to be looked at meanwhile. */
function terms(config: ResolvedConfig): Buffer {
  const { cpuTime, wallTime = 0 } = config.limits;
  const { signal, grace } = config.stop ?? { signal: undefined, grace: 0 };
  const masks = masksIn(config);
  return Buffer.concat([
    str(cpuTime === undefined ? "" : JSON.stringify(cpuTime)),
    u64(microseconds(wallTime)),
    u64(microseconds(grace)),
    u32(signal === undefined ? 0 : numberOf(signal)),
    u32(masks.length),
    ...masks.map(({ type, path, target }) =>
      Buffer.concat([u8(type === "mask" ? MASK : BIND), str(path), str(target)]),
    ),
  ]);
}

const [MASK, BIND] = [0x68, 0x62] as const;

/** At least one, as 0 stands for no time at all. */
function microseconds(seconds: number): number {
  return seconds === 0 ? 0 : Math.max(1, Math.round(seconds * 1e6));
}

/** The end of a result as JSON, which says what every run of the sandbox is. What is written is ASCII. */
function receiptOf({ needs, dropped, backend }: Prepared, plan: LauncherPlan): string {
  const enforced: Enforced[] = needs.map(({ capability, path }) => ({
    capability,
    path,
    mechanism: plan.mechanisms[capability] ?? "",
    known: "by-construction",
  }));
  return `${JSON.stringify({ backend, enforcement: { enforced, dropped } }, null, 2)}\n`
    .replace("{\n", "")
    .replace(/[^\n -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** What of the host the sandbox is made of, with the fields that name it. */
function filesOf({ setup }: LauncherPlan): (readonly [field: string, path: string])[] {
  return [
    ["root", setup.root],
    ...setup.mounts.flatMap((mount) =>
      mount.type === "bind" && mount.source !== "" ? [[mount.path, mount.source] as const] : [],
    ),
  ];
}

function fileOf(field: string, path: string): Buffer {
  const { dev, ino, mode } = lstatSync(path, { bigint: true });
  return Buffer.concat([bits(dev), bits(ino), u32(Number(mode) & S_IFMT), str(field), str(path)]);
}

function launcherFile(path: string): Buffer {
  const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true });
  return Buffer.concat([bits(dev), bits(ino), bits(size), bits(mtimeNs)]);
}

const S_IFMT = 0o170000;

function bits(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

/** FNV-1a: tells a file that was cut or damaged by accident. */
function sumOf(bytes: Buffer): number {
  let sum = 0x811c9dc5;
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193);
  return sum >>> 0;
}
