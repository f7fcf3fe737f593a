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
   * Which part of a declared capability holds, where that is not all of it: `{ "mount.proc": "at `/proc` only" }`. The
   * tables of backends print it, and `plan` refuses the rest.
   */
  readonly partly?: Readonly<Partial<Record<Capability, string>>>;
  /**
   * Whether its plans are of the kind `engine`. Core's cgroups cannot hold what such a backend starts, so it declares
   * the limits on the whole sandbox that it keeps itself. Default: false.
   */
  readonly isEngine?: boolean;
  /** Whether this host can run it: found out by trying, never from a version number. */
  probe(host: Host): Promise<Probe>;
  /**
   * What can be told without starting anything, where each run tries for itself all that `probe` tries: whoever runs one
   * program only is spared the probe, and it is asked why when a set-up fails.
   */
  presume?(host: Host): Probe;
  /**
   * What to run, as data. Pure: the same config, host and findings give the same plan, and nothing is touched.
   *
   * @param found - What `probe` answered, with what is missing here. Core always gives it.
   */
  plan(config: ResolvedConfig, host: Host, found?: Found): Plan | Refusal;
}

/** What a backend found on a host. */
export type Probe<Findings = unknown> =
  | {
      readonly available: true;
      /** What the plan is to know of this host, so that it need not look again; it is handed to `plan` as it is. */
      readonly findings?: Findings;
      /** The tool's own words, for people; never used to decide anything. */
      readonly version?: string;
      /** Declared capabilities that this host lacks all the same. */
      readonly missing?: readonly Missing[];
      /** What people should know about this host, such as an unpatched tool that core guards against. */
      readonly notes?: readonly string[];
    }
  | { readonly available: false; readonly reason: string; readonly remedy: string };

/** What the probe of a backend that can run here answered. */
export type Found<Findings = unknown> = Extract<Probe<Findings>, { available: true }>;

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
   * Runs a program of the host to its end, for at most ten seconds, as a plan would: with what it finds on its fds and its
   * environment. Without them its standard input and its environment are empty, and no other fd is open.
   */
  run(argv: readonly [string, ...string[]], how?: HostRunOptions): Promise<HostRun>;
}

/** How a program of the host is run. */
export interface HostRunOptions {
  /** The whole environment. Default: empty. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * What it finds on its standard input and on fds from 3 on: data, or core's filter of system calls, to try what a plan
   * does with them.
   */
  readonly fds?: Readonly<Record<number, HostFd>>;
}

/** What a program of the host finds on an fd. */
export type HostFd = Extract<PlanFd, "filter"> | { readonly data: string | Uint8Array };

/** What a program of the host did; `exitCode` is undefined when it could not be started or died of a signal. */
export interface HostRun {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What {@link defineBackend} makes a backend of, which declares `Words`. */
export interface BackendDefinition<Findings = unknown, Words extends Capability = Capability>
  extends Omit<Backend, "apiVersion" | "capabilities" | "partly" | "probe" | "plan"> {
  /** In the tool's words, what enforces each capability: those that it names are declared. */
  readonly mechanisms: Readonly<Partial<Record<Words, string>>>;
  /** As {@link Backend.partly}. */
  readonly partly?: Only<NoInfer<Words>>;
  /** As {@link Backend.probe}. */
  probe(host: Host): Promise<Probe<Findings>>;
  /** As {@link Backend.plan}. A plan that says nothing of its mechanisms has those of the backend. */
  plan(
    config: ResolvedConfig,
    host: Host,
    found: Found<Findings>,
  ): PlanDefinition<NoInfer<Words>> | Refusal;
}

/** A plan that may leave out its mechanisms, and has none for what is not declared. */
export type PlanDefinition<
  Words extends Capability = Capability,
  Kind extends Plan = Plan,
> = Kind extends Plan ? Omit<Kind, "mechanisms"> & { readonly mechanisms?: Only<Words> } : never;

/** Something about these capabilities and no other. */
type Only<Words extends Capability> = Readonly<
  Partial<Record<Words, string> & Record<Exclude<Capability, Words>, never>>
>;

/** Makes a backend that declares what it has a mechanism for, so that the one cannot differ from the other. */
export function defineBackend<Findings = unknown, Words extends Capability = Capability>({
  mechanisms: own,
  ...definition
}: BackendDefinition<Findings, Words>): Backend {
  const mechanisms: Plan["mechanisms"] = own;
  return {
    apiVersion: 1,
    ...definition,
    capabilities: new Set(
      Object.keys(mechanisms)
        .filter(isCapability)
        .filter((word) => (mechanisms[word] ?? "") !== ""),
    ),
    plan(config, host, found = { available: true }) {
      // What is handed on here comes from the probe above, in whose type it was given.
      const plan = definition.plan(config, host, found as Found<Findings>);
      return "refusal" in plan ? plan : { ...plan, mechanisms: plan.mechanisms ?? mechanisms };
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
