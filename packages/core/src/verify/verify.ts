import { isCgroupCapability } from "../cgroup/setting.js";
import { namespaceOf } from "../launch/processes.js";
import type { Need } from "../needs/capability.js";
import type { Report, ToolPlan } from "../plan/plan.js";
import { SandboxError } from "../result/error.js";
import type { Enforced } from "../result/result.js";

/** The name of each namespace in `/proc/PID/ns`, by the capability that asks for it. */
const NAMESPACE_FILES: Readonly<
  Record<string, { readonly file: string; readonly key: keyof Namespaces }>
> = {
  "isolate.mount": { file: "mnt", key: "mount" },
  "isolate.pid": { file: "pid", key: "pid" },
  "isolate.ipc": { file: "ipc", key: "ipc" },
  "isolate.uts": { file: "uts", key: "uts" },
  "isolate.user": { file: "user", key: "user" },
  "isolate.cgroup": { file: "cgroup", key: "cgroup" },
  "network.none": { file: "net", key: "network" },
};

type Namespaces = NonNullable<Report["namespaces"]>;

/**
 * Reads back from the kernel which namespaces a run really has, and says for each need what enforces it and how that
 * was checked.
 *
 * @throws SandboxError `VERIFY_FAILED` when a namespace that was to be its own is this process's.
 */
export function verify(
  needs: readonly Need[],
  mechanisms: ToolPlan["mechanisms"],
  report: Report,
  backend: string,
): Enforced[] {
  return needs.map((need) => {
    const mechanism = mechanisms[need.capability] ?? backend;
    const namespace = NAMESPACE_FILES[need.capability];
    // Core has read back the limits of a cgroup, and that the sandbox is in it.
    const isReadBack =
      report.readBack?.has(need.capability) === true || isCgroupCapability(need.capability);
    const checked = isReadBack ? "kernel" : "tool";
    if (namespace === undefined) return { ...need, mechanism, checked };
    const inside = report.namespaces?.[namespace.key] ?? readBack(report, namespace.file);
    if (inside === undefined) return { ...need, mechanism, checked };
    if (inside !== ownNamespace(namespace.file)) return { ...need, mechanism, checked: "kernel" };
    throw new SandboxError(
      "VERIFY_FAILED",
      `${need.path}: the sandbox shares the ${namespace.key} namespace of the host, although ${backend} was told ${mechanism}`,
      {
        path: need.path,
        backend,
        hint: "The tool did not do what it was asked to: report this with its version.",
      },
    );
  });
}

function readBack({ initPid }: Report, file: string): number | undefined {
  return initPid === undefined ? undefined : namespaceOf(initPid, file);
}

const own = new Map<string, number | undefined>();

/** A Node process stays in the namespaces that it was started in. */
function ownNamespace(file: string): number | undefined {
  if (!own.has(file)) own.set(file, namespaceOf("self", file));
  return own.get(file);
}
