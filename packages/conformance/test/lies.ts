import { mkdirSync } from "node:fs";
import { join } from "node:path";
import bubblewrap from "@sandboxlib/backend-bubblewrap";
import {
  type Backend,
  type Capability,
  createSandbox,
  isSandboxError,
  type ResolvedConfig,
  type ResolvedMount,
  type Sandbox,
  type SandboxResult,
  type ToolPlan,
} from "@sandboxlib/core";
import type { Library } from "../src/kit.js";

/** A backend that does not do what it says, or a library that does not. */
export interface Lie {
  readonly backend: Backend;
  readonly library?: Partial<Library>;
  /** What it is built on. Default: bubblewrap. */
  readonly base?: Backend;
}

/** Says something wrong about itself. */
export function says(about: Partial<Backend>): Lie {
  return { backend: { ...bubblewrap, ...about } };
}

/** Declares other capabilities than it has, on top of another lie. */
export function declares(
  edit: (own: readonly Capability[]) => readonly Capability[],
  { backend }: Lie = says({}),
): Lie {
  return { backend: { ...backend, capabilities: new Set(edit([...backend.capabilities])) } };
}

/** Plans for another config than the one it is given. */
export function plansFor(edit: (config: ResolvedConfig) => Partial<ResolvedConfig>): Lie {
  return says({ plan: (config, host) => bubblewrap.plan({ ...config, ...edit(config) }, host) });
}

/** Plans with other mounts than those that it is given. */
export function mounts(edit: (mount: ResolvedMount) => ResolvedMount | undefined): Lie {
  return plansFor((config) => ({ mounts: config.mounts.flatMap((mount) => edit(mount) ?? []) }));
}

/** Gives another plan than bubblewrap would. */
export function plans(edit: (plan: ToolPlan, config: ResolvedConfig) => ToolPlan): Lie {
  return says({ plan: (config, host) => edit(bubblewrap.plan(config, host) as ToolPlan, config) });
}

/** Gives bubblewrap other options than it should. */
export function options(edit: (words: string) => string, more?: (plan: ToolPlan) => ToolPlan): Lie {
  return plans((plan) => {
    const given = plan.fds?.[3];
    const data = typeof given === "object" ? given.data : "";
    const fds = { ...plan.fds, 3: { data: edit(data) } };
    return { ...(more?.(plan) ?? plan), fds };
  });
}

/** Starts its tool in the caller's environment. */
export function withCallersEnvironment(plan: ToolPlan): ToolPlan {
  return { ...plan, env: { ...process.env } as Record<string, string> };
}

/** Does not know which processes are the program's. */
export function withoutReport(plan: ToolPlan): ToolPlan {
  const copy: { -readonly [Part in keyof ToolPlan]: ToolPlan[Part] } = { ...plan };
  delete copy.readReport;
  return copy;
}

/** Runs the tool by way of a shell script on the host. */
export function outside(script: string): Lie {
  return plans((plan) => ({ ...plan, argv: ["/bin/sh", "-c", script, "sh", ...plan.argv] }));
}

/** Runs the program by way of a shell script inside. */
export function inside(script: string): Lie {
  return plans((plan) => ({ ...plan, argv: [...plan.argv, "sh", "-c", script, "sh"] }));
}

/** Runs the program on the host. */
export function nothing(): Lie {
  return says({
    plan: ({ env }) => ({
      argv: ["/usr/bin/env", "--"],
      env,
      mechanisms: {},
      interpret: ({ exitCode }) => ({ kind: "exited", exitCode: exitCode ?? 255 }),
    }),
  });
}

/** Tells something wrong about the end of a run. */
export function interprets(
  edit: (verdict: ReturnType<ToolPlan["interpret"]>) => typeof verdict,
): Lie {
  return plans((plan) => ({ ...plan, interpret: (end) => edit(plan.interpret(end)) }));
}

/** Plans for the first config only, and takes that plan for every other. */
export function remembers(): Lie {
  let first: ToolPlan | undefined;
  return says({ plan: (config, host) => (first ??= bubblewrap.plan(config, host) as ToolPlan) });
}

/** Says yes to whatever core asks, although it declares little. */
export function twoFaced(declared: readonly Capability[]): Lie {
  return says({ capabilities: Object.assign(new Set(declared), { has: () => true }) });
}

/** A library that takes every refusal back. */
export function obliging({ backend, base = bubblewrap }: Lie = says({})): Lie {
  const content = { outcome: "exited", exitCode: 0 } as SandboxResult;
  const orContent = async (run: Promise<SandboxResult>): Promise<SandboxResult> => {
    try {
      return await run;
    } catch (error) {
      if (isSandboxError(error)) return content;
      throw error;
    }
  };
  const library: typeof createSandbox = async (config, given) => {
    const fallback = { run: async () => content } as unknown as Sandbox;
    try {
      const sandbox = await createSandbox(config, given);
      return { ...sandbox, run: (argv, how) => orContent(sandbox.run(argv, how)) };
    } catch (error) {
      if (isSandboxError(error)) return fallback;
      throw error;
    }
  };
  return { backend, base, library: { createSandbox: library } };
}

/** A library that makes the mount points which are missing. */
export function makesMountPoints(backend: Backend = bubblewrap): Lie {
  const library: typeof createSandbox = (config, given) => {
    for (const { target } of config.mounts ?? []) {
      try {
        mkdirSync(join(config.root ?? "/", target), { recursive: true });
      } catch {
        // A loop of symlinks: then there is none to make.
      }
    }
    return createSandbox(config, given);
  };
  return { backend, base: backend, library: { createSandbox: library } };
}

/** A library that does not listen to an AbortSignal. */
export function deaf({ backend }: Lie): Lie {
  const library: typeof createSandbox = async (config, given) => {
    const sandbox = await createSandbox(config, given);
    return { ...sandbox, run: (argv, how) => sandbox.run(argv, { ...how, signal: undefined }) };
  };
  return { backend, library: { createSandbox: library } };
}
