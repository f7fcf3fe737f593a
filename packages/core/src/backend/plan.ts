import type { Capability } from "../capability/capability.js";
import type { Word } from "../config/text.js";
import type { Namespace } from "../config/types.js";
import type { Usage } from "../result/result.js";
import type {
  IdMap,
  Mirror,
  ResolvedMount,
  SeccompFilter,
  WideProfile,
} from "./resolved-config.js";
import type { Running, Verdict, WindowSize } from "./running.js";

/** What a backend wants core to do, as data: `--dry-run` prints it and tests compare it. */
export type Plan = ToolPlan | LauncherPlan | EnginePlan;

/** A plan for a tool that takes options and the program's own argument vector. */
export interface ToolPlan {
  readonly kind: "tool";
  /** The tool and its options. Core appends the program's own argument vector unless that is on an fd, so it ends with `--` where the tool knows that. */
  readonly argv: readonly [string, ...string[]];
  /**
   * A word of `argv`, the path of a program that stays visible inside and whose file the caller could change. Core has a
   * sealed copy of it in memory executed instead, which `by` makes: the launcher of `@sandboxlib/launcher`.
   */
  readonly clone?: { readonly program: string; readonly by: string };
  /**
   * The launcher of `@sandboxlib/launcher`, where the tool may be started by its fork server: that takes less time than
   * to fork this process, and the tool dies with the server.
   */
  readonly startedBy?: string;
  /** The tool's whole environment. The program's is not here where the tool can take it another way. */
  readonly env: Readonly<Record<string, string>>;
  /** What the tool finds on its file descriptors from 3 on. */
  readonly fds?: Readonly<Record<number, PlanFd>>;
  /** Commands of the host to run before, in this order. Each is taken back afterwards in reverse, whatever happened. */
  readonly before?: readonly Step[];
  /** What core makes in a directory of the run's own, in this order, and removes with everything that came to lie there. */
  readonly ownDirectory?: readonly OwnEntry[];
  /**
   * Ends and removes what the tool has started elsewhere, such as a container, and succeeds where there is none. It is run
   * in the plan's environment after every run, however that ended, for at most ten seconds; when this process has died, by
   * its watchdog. Where that could not, `gc` says where the command is, and does not run it: a program may have changed it.
   */
  readonly end?: readonly [string, ...string[]];
  /** The path that is there for as long as there is something to end: where it is gone, `end` is not run. */
  readonly endWhile?: string;
  /**
   * Whether the tool sets the limits of setrlimit(2) by itself, for the program alone: `guest.words` takes them. Without
   * it core has prlimit(1) set them before it starts the tool, which has to bear them.
   */
  readonly setsLimits?: true;
  /** The program gets no fd above 2, whatever the tool is given: `passFds` is refused. */
  readonly closesFds?: true;
  /** In the tool's words, what enforces each capability that the plan enforces. */
  readonly mechanisms: Partial<Readonly<Record<Capability, string>>>;
  /**
   * Which process the program is, so that it gets the signals: the tool, which becomes it or hands them on, or the first child
   * of the tool, of pid 1 of the sandbox, or of the `supervisor` of the {@link Report}. Needed beside `readReport`; a plan
   * without one has `tool`.
   */
  readonly signals?: "tool" | "child of tool" | "child of init" | "child of supervisor";
  /** Reads what the tool has written so far on its report fd. Pure. */
  readReport?(report: string): Report;
  /** Turns what was seen at the end into what became of the program. Pure. */
  interpret(end: Observation): Verdict;
}

/**
 * A plan for the launcher of `@sandboxlib/launcher`, or another program that speaks its protocol, version 1. Core alone
 * speaks it, and can open sessions and pools with such a plan.
 */
export interface LauncherPlan extends Pick<ToolPlan, "argv" | "env" | "mechanisms"> {
  readonly kind: "launcher";
  readonly setup: LauncherSetup;
}

/**
 * A plan for what is no local process: a remote engine, a container engine's API, an agent in a virtual machine. Core
 * does with what it starts as with every other program: streams, time limit, signals, output limits, outcome.
 *
 * What it enforces is never `verified`: core can read nothing of it from this kernel.
 */
export interface EnginePlan extends Pick<ToolPlan, "mechanisms"> {
  readonly kind: "engine";
  /** What the engine would be sent before there is a command, as data. */
  readonly request: unknown;
  /**
   * Starts a command and answers at once, with streams that may wait for the engine. What goes wrong later rejects
   * {@link Running.ended}, with a SandboxError.
   *
   * @param request - That of this plan.
   */
  start(request: unknown, command: EngineCommand, stdio: EngineStdio): Running;
}

/** What an engine is to run; the environment, the working directory and the limits are in the config. */
export interface EngineCommand {
  /** Text, or bytes that are no UTF-8. */
  readonly argv: readonly [Word, ...Word[]];
  /** The size of its terminal, if it is to have one: its output is `stdout` then. Only with the capability `tty`. */
  readonly window: WindowSize | undefined;
}

/** What an engine is to give for each standard stream: a stream for `pipe`, nothing for the others. */
export interface EngineStdio {
  readonly stdin: "pipe" | "discard";
  readonly stdout: "pipe" | "discard";
  /** `stdout`: the same stream, in the order written. */
  readonly stderr: "pipe" | "discard" | "stdout";
}

/** What the launcher is to set up before there is a command. */
export interface LauncherSetup {
  /**
   * The new namespaces. Those for mounts and pids are always new. Without `user` there is one all the same where the
   * launcher lacks CAP_SYS_ADMIN; with it, no further one can be made inside.
   */
  readonly namespaces: readonly (Exclude<Namespace, "mount" | "pid"> | "network")[];
  /** Whether further user namespaces can be made inside. Only with `user` in `namespaces`. */
  readonly nesting?: true;
  /** The ids inside. */
  readonly uid: number;
  readonly gid: number;
  /** Only with `user` in `namespaces`. Without it, `uid` and `gid` are the only ids. */
  readonly idMap?: IdMap & {
    /** newuidmap(1) and newgidmap(1), which an unprivileged caller needs to use its subordinate ids. */
    readonly tools?: { readonly uids: string; readonly gids: string };
  };
  /**
   * What the program keeps of the caller's capabilities: none by default. Only for the uid 0, without `user` in
   * `namespaces`, and where the launcher has CAP_SYS_ADMIN.
   */
  readonly capabilities?: readonly KeepableCapability[];
  /** Only with `uts` in `namespaces`. */
  readonly hostname?: string;
  /** The real path of the directory that becomes `/`. */
  readonly root: string;
  readonly rootReadOnly: boolean;
  /** Where writes to the root go instead, as real paths: directories of one file system. */
  readonly overlay?: { readonly upper: string; readonly work: string };
  /** In the order to mount them. */
  readonly mounts: readonly ResolvedMount[];
  readonly mirrors: readonly Mirror[];
  /** The profile of system calls of the programs, beside core's filter, which they have in any case. */
  readonly seccomp?: SeccompFilter;
  /** Core fills it in for each sandbox that has a cgroup. */
  readonly cgroup?: {
    /** The `cgroup.procs` files to which pid 1 is written, and the `tasks` files to which it writes itself. */
    readonly procs: readonly string[];
    readonly tasks: readonly string[];
  };
}

/**
 * A capability of capabilities(7) that a program of root's may keep, as setpriv(1) names it: those to install and to build
 * software with. None of them is power over the kernel, over devices, or over processes outside.
 */
export type KeepableCapability =
  | "chown"
  | "dac_override"
  | "fowner"
  | "fsetid"
  | "kill"
  | "setgid"
  | "setuid"
  | "setpcap"
  | "net_bind_service"
  | "sys_chroot"
  | "setfcap";

/** What a backend answers in place of a plan when it finds that it cannot honour the config after all. */
export interface Refusal {
  readonly refusal: {
    /** The config field at fault. */
    readonly path: string;
    /** The declared capability of which it asks for a part that {@link Backend.partly} leaves out, if that is why. */
    readonly capability?: Capability;
    /** What is wrong with it, to follow the path. */
    readonly reason: string;
    /** What the user can do about it. */
    readonly hint: string;
  };
}

/**
 * What a tool finds on an fd:
 *
 * - `data` to read. A tool that waits for it, such as bwrap for its options, is started before the last look at the
 *   paths; one that only hands it on to what runs inside (`isForProgram`) is not;
 * - a sealed copy in memory of a program, as `clone` of {@link ToolPlan} has it, to be executed by the name of the fd;
 * - `report`, the pipe on which the tool reports;
 * - `lifeline`, a pipe that stays open until the tool has ended;
 * - `hold`, from which the tool reads a byte when the sandbox is set up and before it starts the program: core writes it
 *   when it has verified the sandbox, which takes a `report` that names its pid 1 before;
 * - `filter`, core's filter of system calls, which is for the program: an array of `struct sock_filter`; or, with the name
 *   of a profile, that one, which denies what core's filter does;
 * - `command`, the program's argument vector, each word with a NUL byte behind it, which is then not appended to `argv`: for a
 *   tool that takes few words, or changes them.
 */
export type PlanFd =
  | { readonly data: string | Uint8Array; readonly isForProgram?: true }
  | { readonly clone: NonNullable<ToolPlan["clone"]> }
  | "report"
  | "lifeline"
  | "hold"
  | "filter"
  | { readonly filter: WideProfile }
  | "command";

/**
 * What stands for the path of the run's own directory, and for a name that no other run has, wherever it occurs in `argv`,
 * `env`, `end` and `endWhile` of a {@link ToolPlan}: a plan is made before there is a run. No word of a config holds a NUL byte.
 */
export const OWN_DIRECTORY = "\0directory\0";
export const OWN_NAME = "\0name\0";

/** A file or a directory in the directory of a run. */
export type OwnEntry = {
  /** Relative to the directory, without `.` and `..`. */
  readonly path: string;
  /** Whatever the umask is. */
  readonly mode: number;
} & (
  | { readonly type: "file"; readonly data: string | Uint8Array }
  | {
      readonly type: "directory";
      /** The target of the tmpfs of the config in whose place the tool binds it. */
      readonly tmpfs?: string;
    }
);

/** A command of the host, and what it leaves there, if it leaves something. */
export interface Step {
  readonly run: readonly [string, ...string[]];
  readonly undo?: Undo;
}

/**
 * What takes a step back, with the real path of what it is about: core unmounts a mount point, or removes a file or an
 * empty directory. It is no command, since a journal holds it that outlives this process.
 */
export interface Undo {
  readonly kind: "unmount" | "remove";
  readonly path: string;
}

/** What a tool told while it ran. */
export interface Report {
  /** Pid 1 of the sandbox, as the host sees it; when it is gone, so is everything inside. */
  readonly initPid?: number;
  /**
   * The pid, as it sees itself, of a process inside whose first child is the program: for a tool that cannot tell what
   * the host calls them. Core looks it up, and pid 1 of its namespace with it.
   */
  readonly supervisor?: number;
  /** What the program has used, once it has ended. */
  readonly usage?: Omit<Usage, "wallTime">;
  /** The inode of each namespace of the sandbox, as namespaces(7) numbers them. */
  readonly namespaces?: Partial<Readonly<Record<Namespace | "network", number>>>;
}

/** What core saw of the tool. */
export interface Observation {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly report: string;
  /** The end of standard error where core captured it. It may be the program's as well as the tool's. */
  readonly stderr: string;
}
