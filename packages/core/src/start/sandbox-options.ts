import type { Backend } from "../backend/backend.js";
import { isBackend } from "../backend/discovery.js";
import { allCapabilities, CAPABILITIES, isCapability } from "../capability/capability.js";
import { nearest } from "../config/nearest.js";
import { checkSignal, invalidOption, refuseUnknown } from "../config/options.js";
import { shown } from "../config/text.js";
import type { Prefer } from "../resolve/resolve.js";
import type { Verify } from "./prepared.js";

/** How a sandbox is made. */
export interface SandboxOptions {
  /** A backend, or the name of an installed one. Default: the strongest installed one that can honour the config. */
  readonly backend?: Backend | string | undefined;
  /** The needs that may be let go where the backend cannot meet them. Default: none. */
  readonly prefer?: Prefer | undefined;
  /**
   * A directory below `/sys/fs/cgroup` in which this user may make others, for a cgroup for each sandbox. Without it,
   * sandboxes have one only where a limit asks for it, made below the cgroup of this process.
   *
   * cgroup v2 wants no process in the directory itself: those that are in there are moved to one below it.
   */
  readonly cgroup?: string | undefined;
  /**
   * When what the kernel says of a sandbox is held against what was asked for. `always`: before each program starts.
   * `once`, which is the default: before the first one starts; later it is read while the program runs, which is ended when
   * something is not as it should be. `never`: not at all, and the receipt says so. Sessions and pools verify a sandbox
   * before its first command in both of the former.
   */
  readonly verify?: Verify | undefined;
  /**
   * Gives the sandbox up while it is being made: the promise is rejected with the signal's reason, and nothing is left.
   * Once it is there, the signal does nothing more to it.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * For whoever runs one program only, and makes the sandbox again without this when {@link isUnbegun} says that it has failed
 * before the program has begun: what a run finds out for itself is presumed until then.
 */
export const UNTRIED: unique symbol = Symbol("untried");

/** The names of the options with which a sandbox is made. */
export const SANDBOX_OPTIONS: Readonly<Record<keyof SandboxOptions, true>> = {
  backend: true,
  prefer: true,
  cgroup: true,
  verify: true,
  signal: true,
};

/** @throws SandboxError `CONFIG_INVALID` */
export function checkedSandboxOptions(options: SandboxOptions): SandboxOptions {
  refuseUnknown(options, SANDBOX_OPTIONS);
  const { backend, prefer, cgroup, verify, signal } = options;
  if (backend !== undefined && typeof backend !== "string" && !isBackend(backend)) {
    const hint = "Give the default export of a backend's package, or the name of one.";
    throw invalidOption("backend", `${shown(backend)} is neither a backend nor a name`, hint);
  }
  if (prefer !== undefined && prefer !== "all") checkPrefer(prefer);
  if (cgroup !== undefined && typeof cgroup !== "string")
    throw invalidOption("cgroup", `${shown(cgroup)} is no path`);
  if (verify !== undefined && !VERIFY.includes(verify)) {
    const hint = `There are ${VERIFY.join(", ")}.`;
    throw invalidOption("verify", `${shown(verify)} is none of the words`, hint);
  }
  checkSignal(signal);
  return options;
}

const VERIFY: readonly Verify[] = ["always", "once", "never"];

function checkPrefer(prefer: unknown): void {
  if (!Array.isArray(prefer)) {
    const hint = 'It is "all", or a list of capabilities: ["network.none"].';
    throw invalidOption("prefer", `${shown(prefer)} is no list`, hint);
  }
  for (const [index, word] of (prefer as readonly unknown[]).entries()) {
    const path = `prefer[${index}]`;
    if (typeof word !== "string" || !isCapability(word)) {
      const near = nearest(String(word), allCapabilities());
      const hint =
        near === undefined ? "`allCapabilities()` has all of them." : `Did you mean ${near}?`;
      throw invalidOption(path, `${shown(word)} is no capability`, hint);
    }
    if (CAPABILITIES[word].droppable) continue;
    const hint =
      "It decides what the program is given. Change the config, or use a backend that has it.";
    throw invalidOption(path, `${shown(word)} cannot be let go`, hint);
  }
}
