import type { Capability, Need } from "../capability/capability.js";
import { SandboxError } from "./error.js";

/** How a run ended, in one word. */
export type Outcome = "exited" | "signaled" | "timed-out" | "aborted" | "limit-exceeded";

/**
 * How it is known that a capability holds. `verified`: this process itself has read from the kernel that the thing is as it
 * should be. `by-construction`: the tool or launcher that set it up says so, and this process could not look, was told
 * not to, did not come to it before a short run was over, or cannot see such a thing from outside.
 */
export type Known = "verified" | "by-construction";

/** One capability that holds for a run. */
export interface Enforced extends Need {
  /** What enforces it, in the words of the tool: `bwrap --unshare-net`. */
  readonly mechanism: string;
  readonly known: Known;
}

/** One need that the caller let go with `prefer`. */
export interface Dropped extends Need {
  /** Why the backend could not meet it. */
  readonly reason: string;
}

/** What was asked for, and what became of it. Every need of the config is in exactly one of the lists. */
export interface Enforcement {
  readonly enforced: readonly Enforced[];
  readonly dropped: readonly Dropped[];
}

/** A limit that ended a run, and what it was set to: bytes, or seconds of processor time. */
export type Exceeded =
  | { readonly limit: "stdout" | "stderr" | "fileSize" | "memory"; readonly bytes: number }
  | { readonly limit: "cpuTime"; readonly seconds: number };

/** What one run came to, told apart by its `outcome`. */
export type SandboxResult = Ending & {
  /** What the program wrote, where it was captured. */
  readonly stdout?: Uint8Array;
  readonly stderr?: Uint8Array;
  readonly usage: Usage;
  /** The name of the backend that ran it. */
  readonly backend: string;
  readonly enforcement: Enforcement;
};

/** How a run ended. */
export type Ending = ExitedEnding | SignaledEnding | StoppedEnding | LimitEnding;

/** What only one of the endings has. */
interface NoEnding {
  readonly exitCode?: never;
  readonly signal?: never;
  readonly afterStop?: never;
  readonly exceeded?: never;
  readonly coreDumped?: never;
}

/** The program ended by itself. */
export interface ExitedEnding extends Omit<NoEnding, "exitCode"> {
  readonly outcome: "exited";
  /** The program's exit status, 0 to 255. */
  readonly exitCode: number;
}

/** A signal ended the program. */
export interface SignaledEnding extends Omit<NoEnding, "signal" | "coreDumped"> {
  readonly outcome: "signaled";
  /** See {@link signalName}. */
  readonly signal: NodeJS.Signals;
  /** It left a core dump; absent where there was none, or the backend cannot tell. */
  readonly coreDumped?: true;
}

/** The time limit or the caller ended the run. */
export interface StoppedEnding extends Omit<NoEnding, "afterStop"> {
  readonly outcome: "timed-out" | "aborted";
  /** How the program ended by itself within the grace period of the config's `stop`, or before the time-out was seen. */
  readonly afterStop?: { readonly exitCode: number } | { readonly signal: NodeJS.Signals };
}

/** A limit of the kernel's, or of the captured output, ended the run. */
export interface LimitEnding extends Omit<NoEnding, "exceeded" | "coreDumped"> {
  readonly outcome: "limit-exceeded";
  /** The limit that was exceeded. */
  readonly exceeded: Exceeded;
  /** As with a signal. */
  readonly coreDumped?: true;
}

/**
 * What a run took. What nobody can tell is absent. Where the sandbox has a cgroup (a limit that asks for one, or the
 * option `cgroup`), the numbers are those of the whole sandbox, the backend's own processes in it included, but for
 * faults and switches, which no cgroup counts; in a session, which has one cgroup for all commands, they are the
 * command's own.
 */
export interface Usage {
  /** Seconds from the start of the backend's tool, or of the command in a session, until it was over. */
  readonly wallTime: number;
  /**
   * Seconds of processor time. From the cgroup: `cpu.stat`, `cpuacct.usage`. Else of the program and
   * the children that it waited for: getrusage(2).
   */
  readonly userTime?: number;
  readonly systemTime?: number;
  /**
   * Bytes. From the cgroup: `memory.peak` (Linux 5.19), `memory.max_usage_in_bytes`; the pages of files that were read
   * and of a tmpfs count. Else the largest resident set of any one of these processes.
   */
  readonly peakMemory?: number;
  /** Of the program and the children that it waited for: page faults that took no reading from a disk, and those that did. */
  readonly minorFaults?: number;
  readonly majorFaults?: number;
  /**
   * Bytes that were read from and written to disks: what the page cache has costs nothing. From the cgroup: `io.stat`,
   * `blkio.throttle.io_service_bytes`. Else in blocks of 512.
   */
  readonly blockReads?: number;
  readonly blockWrites?: number;
  /** Of the same: how often they waited for something, and how often others were given the processor in their place. */
  readonly voluntarySwitches?: number;
  readonly involuntarySwitches?: number;
  /** Processes and threads that there were at a time: `pids.peak` (Linux 6.11). */
  readonly peakProcesses?: number;
  /** Processes that the kernel killed for want of memory: `memory.events`, `memory.oom_control`. */
  readonly oomKills?: number;
  /** How often a fork was refused because of `limits.processes`: `pids.events`. */
  readonly refusedForks?: number;
}

/**
 * The capabilities that hold for a result, for a quick question such as `enforces(result).has("network.none")`.
 *
 * @throws SandboxError `CONFIG_INVALID` for what is no result.
 */
export function enforces(result: Pick<SandboxResult, "enforcement">): ReadonlySet<Capability> {
  if (!Array.isArray(result?.enforcement?.enforced)) throw noResult();
  return new Set(result.enforcement.enforced.map((entry) => entry.capability));
}

/** @throws SandboxError `CONFIG_INVALID` for what is no result. */
export function assertResult(result: SandboxResult): void {
  if (typeof result?.outcome !== "string" || typeof result.usage !== "object") throw noResult();
}

function noResult(): SandboxError {
  return new SandboxError("CONFIG_INVALID", "result: it is not what a run has resolved to", {
    path: "result",
    hint: "Await `run`, or `result` of what `spawn` returns.",
  });
}

/**
 * What a run wrote, as text: UTF-8, with U+FFFD in place of other bytes.
 *
 * @throws SandboxError `CONFIG_INVALID` for an output that was not captured.
 */
export function textOf(
  result: Pick<SandboxResult, "stdout" | "stderr">,
  output: "stdout" | "stderr" = "stdout",
): string {
  assertOutput(output);
  if (typeof result !== "object" || result === null || result instanceof Promise) throw noResult();
  const bytes = result[output];
  if (bytes !== undefined) return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const hint = `Leave the option \`${output}\` of the run out, or set it to "capture".`;
  throw new SandboxError("CONFIG_INVALID", `${output}: it was not captured`, {
    path: output,
    hint,
  });
}

/** @throws SandboxError `CONFIG_INVALID` for what is no output of a program. */
export function assertOutput(output: "stdout" | "stderr"): void {
  if (output === "stdout" || output === "stderr") return;
  const shown = JSON.stringify(String(output).slice(0, 100));
  throw new SandboxError("CONFIG_INVALID", `output: ${shown} is no output of a program`, {
    path: "output",
    hint: 'They are "stdout" and "stderr".',
  });
}
