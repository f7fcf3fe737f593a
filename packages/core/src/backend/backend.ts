import { type Capability, isCapability } from "../capability/capability.js";
import type { Plan, PlanFd, Refusal } from "./plan.js";
import type { ResolvedConfig } from "./resolved-config.js";

/** A way to make a sandbox. A package exports one as its default export and names it in its `package.json`. */
export interface Backend {
  /** The version of this contract. */
  readonly apiVersion: 1;
  /** One lower-case word, the same as in the `sandboxlib` field of the package's `package.json`. */
  readonly name: string;
  /**
   * What it enforces wherever it is available: its documentation, its run-time check and the selector of its tests. What
   * core does itself is not among them: see {@link capabilitiesOf}.
   */
  readonly capabilities: ReadonlySet<Capability>;
  /**
   * Whether its plans are of the kind `engine`. Core's cgroups cannot hold what such a backend starts, so it declares
   * the limits on the whole sandbox that it keeps itself. Default: false.
   */
  readonly isEngine?: boolean;
  /** Whether this host can run it: found out by trying, never from a version number. */
  probe(host: Host): Promise<Probe>;
  /** What to run, as data. Pure: the same config and host give the same plan, and nothing is touched. */
  plan(config: ResolvedConfig, host: Host): Plan | Refusal;
}

/** What a backend found on a host. */
export type Probe =
  | {
      readonly available: true;
      /** The tool's own words, for people; never used to decide anything. */
      readonly version?: string;
      /** Declared capabilities that this host lacks all the same. */
      readonly missing?: readonly Missing[];
      /** What people should know about this host, such as an unpatched tool that core guards against. */
      readonly notes?: readonly string[];
    }
  | { readonly available: false; readonly reason: string; readonly remedy: string };

/** A capability that a backend declares and this host lacks. */
export interface Missing {
  readonly capability: Capability;
  readonly reason: string;
  readonly remedy?: string;
}

/** A backend's only window on the machine. Tests hand it a made-up one. */
export interface Host {
  readonly platform: NodeJS.Platform;
  /** The real uid and gid of this process. */
  readonly uid: number;
  readonly gid: number;
  /** The absolute path of a program in the trusted system directories, never from `PATH`. */
  which(program: string): string | undefined;
  /**
   * Runs a program of the host to its end, with an empty environment, for at most ten seconds. Its standard input is
   * empty, or core's filter of system calls, to try what a plan does with it.
   */
  run(argv: readonly [string, ...string[]], stdin?: Extract<PlanFd, "filter">): Promise<HostRun>;
}

/** What a program of the host did; `exitCode` is undefined when it could not be started or died of a signal. */
export interface HostRun {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What {@link defineBackend} makes a backend of. */
export interface BackendDefinition extends Omit<Backend, "apiVersion" | "capabilities" | "plan"> {
  /** In the tool's words, what enforces each capability: those that it names are declared. */
  readonly mechanisms: Plan["mechanisms"];
  /** As {@link Backend.plan}. A plan that says nothing of its mechanisms has those of the backend. */
  plan(config: ResolvedConfig, host: Host): PlanDefinition | Refusal;
}

/** A plan that may leave out its mechanisms. */
export type PlanDefinition<Kind extends Plan = Plan> = Kind extends Plan
  ? Omit<Kind, "mechanisms"> & Partial<Pick<Kind, "mechanisms">>
  : never;

/** Makes a backend that declares what it has a mechanism for, so that the one cannot differ from the other. */
export function defineBackend({ mechanisms, ...definition }: BackendDefinition): Backend {
  return {
    apiVersion: 1,
    ...definition,
    capabilities: new Set(Object.keys(mechanisms).filter(isCapability)),
    plan(config, host) {
      const plan = definition.plan(config, host);
      return "refusal" in plan ? plan : { mechanisms, ...plan };
    },
  };
}

/** Everything that a run with a backend can have: what the backend declares, and what core adds. */
export function capabilitiesOf(backend: Declaring): ReadonlySet<Capability> {
  return new Set([...backend.capabilities, ...addedTo(backend)]);
}

/** Whether a capability is among {@link capabilitiesOf} a backend. */
export function hasCapability(backend: Declaring, capability: Capability): boolean {
  return backend.capabilities.has(capability) || addedTo(backend).includes(capability);
}

type Declaring = Pick<Backend, "capabilities" | "isEngine">;

/** What core does itself: the time limit for every backend, cgroups where the program is a process of this host. */
function addedTo({ isEngine }: Declaring): readonly Capability[] {
  return isEngine === true ? WALL_TIME : [...WALL_TIME, ...CGROUPS];
}

const WALL_TIME: readonly Capability[] = ["limit.wallTime"];
const CGROUPS: readonly Capability[] = [
  "limit.memory",
  "limit.processes",
  "limit.cpu",
  "limit.ioWeight",
];
