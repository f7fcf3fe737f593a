import { readFileSync } from "node:fs";
import type { Plan, Report } from "../backend/plan.js";
import type { ResolvedConfig } from "../backend/resolved-config.js";
import type { Capability, Need } from "../capability/capability.js";
import { isCgroupCapability } from "../cgroup/setting.js";
import { capabilitySet } from "../host/capability-set.js";
import { HostMounts, mountinfoOf, mountsOf } from "../host/mountinfo.js";
import { SandboxError } from "../result/error.js";
import type { Enforced } from "../result/result.js";
import { type NamespaceFile, namespacesOf, ownNamespace } from "./namespaces.js";
import { findingsIn } from "./remembered.js";
import { described, type Finding } from "./sight.js";

/** What a sandbox is compared with. */
interface Promised {
  readonly needs: readonly Need[];
  readonly config: ResolvedConfig;
  readonly plan: Plan;
  readonly backend: string;
}

/** One thing that is not as it was asked for. */
type Mismatch = Pick<Finding, "capability" | "path" | "expected"> & { readonly seen: string };

/** The namespace that each capability asks for, in `/proc/PID/ns` and in a report. */
const NAMESPACES: Partial<
  Record<Capability, readonly [NamespaceFile, keyof NonNullable<Report["namespaces"]>]>
> = {
  "isolate.mount": ["mnt", "mount"],
  "isolate.pid": ["pid", "pid"],
  "isolate.ipc": ["ipc", "ipc"],
  "isolate.uts": ["uts", "uts"],
  "isolate.user": ["user", "user"],
  "isolate.cgroup": ["cgroup", "cgroup"],
  "network.none": ["net", "network"],
};

/**
 * Reads from the kernel what one sandbox is, and compares it with what was asked for. What this class has not read itself
 * is known from the tool alone.
 */
export class Checker {
  readonly #promised: Promised;
  readonly #tmpfs: ReadonlyMap<string, string>;
  readonly #known = new Set<Capability>();
  /** The pid 1 whose namespaces are all known to be its own: a tool that reports more need not be looked at again. */
  #separate: number | undefined;
  #fault: SandboxError | undefined;
  #enforced: readonly Enforced[] | undefined;

  /** @param tmpfs - The directories of the run's own that stand for a tmpfs, by target. */
  constructor(promised: Promised, tmpfs: ReadonlyMap<string, string> = new Map()) {
    this.#promised = promised;
    this.#tmpfs = tmpfs;
  }

  /** Looks at the namespaces; false when the sandbox has to be ended. */
  checkNamespaces(report: Report): boolean {
    return this.#check(() => this.#namespaces(report));
  }

  /**
   * Looks at everything else, once it is set up; false when the sandbox has to be ended.
   *
   * @param isThere - Whether pid 1 is still there: what was read of one that is gone may be another's.
   */
  checkSetUp(pid: number, isThere: () => boolean): boolean {
    return this.#check(() => {
      const wrong = this.#powers(pid) ?? this.#mounts(pid);
      if (wrong !== undefined && isThere()) throw this.#failed(wrong);
    });
  }

  /**
   * Whether everything else is as it should be by now; nothing is held against what is still being set up.
   *
   * @param isPowerless - Whether pid 1 has to have given up all privileges, too, which it does last, if at all.
   */
  isSetUp(pid: number, isPowerless: boolean): boolean {
    return (
      this.#mounts(pid) === undefined && !(isPowerless && typeof privilegesOf(pid, 0n) === "string")
    );
  }

  /**
   * What is enforced, and how that is known.
   *
   * @throws SandboxError `VERIFY_FAILED`
   */
  enforced(): readonly Enforced[] {
    if (this.#fault !== undefined) throw this.#fault;
    this.#enforced ??= this.#promised.needs.map((need) => this.#receipt(need));
    return this.#enforced;
  }

  #receipt({ capability, path }: Need): Enforced {
    // Core has read back the limits of a cgroup, and that the sandbox is in it.
    const isKnown = this.#known.has(capability) || isCgroupCapability(capability);
    // A plan without it has been refused.
    const mechanism = this.#promised.plan.mechanisms[capability] ?? "";
    return { capability, path, mechanism, known: isKnown ? "verified" : "by-construction" };
  }

  #check(look: () => void): boolean {
    try {
      if (this.#fault === undefined) look();
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      this.#fault = error;
    }
    return this.#fault === undefined;
  }

  #namespaces(report: Report): void {
    const { initPid } = report;
    if (initPid !== undefined && initPid === this.#separate) return;
    let areKnown = true;
    const hasOwn = initPid === undefined ? () => undefined : namespacesOf(initPid);
    for (const { capability, path } of this.#promised.needs) {
      const [file, key] = NAMESPACES[capability] ?? [];
      if (file === undefined || key === undefined) continue;
      const isOwn = hasOwn(file);
      const told = report.namespaces?.[key];
      if (
        isOwn === false ||
        (isOwn === undefined && told !== undefined && told === ownNamespace(file))
      )
        throw this.#failed({
          capability,
          path,
          expected: "a namespace of its own",
          seen: `the ${key} namespace of the host`,
        });
      if (isOwn === true) this.#known.add(capability);
      else areKnown = false;
    }
    if (areKnown) this.#separate = initPid;
  }

  /**
   * Looks for privileges that are left. A tool may leave some in a user namespace of its own, where they are no power over
   * the host; the launcher leaves none but those that it was told to keep.
   */
  #powers(pid: number): Mismatch | undefined {
    const { plan } = this.#promised;
    const kept = plan.kind === "launcher" ? capabilitySet(plan.setup.capabilities) : 0n;
    const powers = privilegesOf(pid, kept);
    if (powers === null || powers === undefined) return undefined;
    this.#known.delete("isolate.user");
    if (plan.kind !== "launcher") return undefined;
    const expected = `no ${kept === 0n ? "" : "other "}capability, and no_new_privs`;
    return { capability: "isolate.user", path: "user", expected, seen: powers };
  }

  #mounts(pid: number): Mismatch | undefined {
    const seen = mountinfoOf(pid);
    let host = hostMounts();
    if (seen === undefined || host === undefined) return undefined;
    const { config } = this.#promised;
    let findings = findingsIn(config, pid, seen, host, this.#tmpfs);
    if (findings.some(isWrong)) {
      // The host may have mounted or moved something since.
      host = hostMounts(true) ?? host;
      findings = findingsIn(config, pid, seen, host, this.#tmpfs);
    }
    const wrong = findings.find(isWrong);
    if (wrong !== undefined) return { ...wrong, seen: described(wrong.seen) };
    const unknown = new Set(
      findings.flatMap(({ capability, isRight }) => (isRight === true ? [] : [capability])),
    );
    for (const { capability } of findings)
      if (!unknown.has(capability)) this.#known.add(capability);
    return undefined;
  }

  #failed({ capability, path, expected, seen }: Mismatch): SandboxError {
    const { plan, backend } = this.#promised;
    const mechanism = plan.mechanisms[capability] ?? backend;
    return new SandboxError(
      "VERIFY_FAILED",
      `${path}: expected ${expected}, and the kernel shows ${seen}, although ${backend} was told ${mechanism}`,
      {
        path,
        backend,
        hint: "The tool did not do what it was asked to: report this with its version.",
      },
    );
  }
}

function isWrong({ isRight }: Finding): boolean {
  return isRight === false;
}

let cached: HostMounts | undefined;

function hostMounts(isFresh = false): HostMounts | undefined {
  const table = isFresh || cached === undefined ? mountsOf("self") : undefined;
  if (table !== undefined) cached = new HostMounts(table);
  return cached;
}

/**
 * What a process can do beyond its user, or could come to: the first line of proc_pid_status(5) that says so. Null where
 * it can do nothing, undefined where it is gone. Everybody may read it.
 *
 * @param kept - A set of capabilities that do not count.
 */
function privilegesOf(pid: number, kept: bigint): string | null | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const lines = status.matchAll(/^(?:Cap\w+:\s*0*([1-9a-f][0-9a-f]*)|NoNewPrivs:\s*0)$/gm);
    for (const [line, set = ""] of lines)
      if (set === "" || (BigInt(`0x${set}`) & ~kept) !== 0n) return line.replace(/\s+/, " ");
    return null;
  } catch {
    return undefined;
  }
}
