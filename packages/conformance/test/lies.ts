import bubblewrap from "@sandboxlib/backend-bubblewrap";
import { allCapabilities, type Capability } from "@sandboxlib/core";
import {
  type Backend,
  OWN_DIRECTORY,
  type ResolvedConfig,
  type ResolvedMount,
  type ToolPlan,
} from "@sandboxlib/core/backend";
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

/** Leaves out the directories that are mounted only so that they cannot be renamed. */
export function withoutSelfBinds(all: readonly ResolvedMount[]): ResolvedMount[] {
  return all.filter(
    ({ path, target }) =>
      !all.some((other) => other.path === path && other.target.startsWith(`${target}/`)),
  );
}

/** Gives another plan than bubblewrap would. */
export function plans(edit: (plan: ToolPlan, config: ResolvedConfig) => ToolPlan): Lie {
  return says({ plan: (config, host) => edit(bubblewrap.plan(config, host) as ToolPlan, config) });
}

/** Gives bubblewrap other options than it should. */
export function options(edit: (words: string) => string, more?: (plan: ToolPlan) => ToolPlan): Lie {
  return plans((plan) => {
    const given = plan.fds?.[3];
    const data = typeof given === "object" && "data" in given ? String(given.data) : "";
    const other = more?.(plan) ?? plan;
    return { ...other, fds: { ...other.fds, 3: { data: edit(data) } } };
  });
}

/** Binds a directory over each tmpfs, and says that it is one of the run's own, which has this mode. */
export function ownTmpfs(
  mode: number,
  sourceOf: (own: string, config: ResolvedConfig) => string,
): Lie {
  return plans((plan, config) => {
    const targets = config.mounts.flatMap(({ type, target }) => (type === "tmpfs" ? [target] : []));
    const [tool, ...words] = plan.argv;
    const binds = targets.flatMap((target, index) => [
      "--bind",
      sourceOf(`${OWN_DIRECTORY}/${index}`, config),
      target,
    ]);
    return {
      ...plan,
      argv: [tool, ...words.slice(0, -1), ...binds, "--"],
      ownDirectory: targets.map((tmpfs, index) => ({
        type: "directory",
        path: String(index),
        mode,
        tmpfs,
      })),
    };
  });
}

/** Starts bwrap itself, and lets the program at the devices of the host. */
export function unguarded(plan: ToolPlan): ToolPlan {
  const copy: { -readonly [Part in keyof ToolPlan]: ToolPlan[Part] } = { ...plan };
  delete copy.clone;
  const [tool, ...words] = plan.argv.slice(plan.argv[1] === "read-only-dev" ? 2 : 0);
  return { ...copy, argv: [tool ?? "bwrap", ...words] };
}

/** Starts bwrap from a file that belongs to the caller, as another way to start a tool may. */
export function fromOwnFile(plan: ToolPlan): ToolPlan {
  const script =
    'copy=$(mktemp) && cat "$1" >"$copy" && chmod 700 "$copy" && exec 9<"$copy" && rm "$copy" && shift && exec /proc/self/fd/9 "$@"';
  return { ...unguarded(plan), argv: ["/bin/sh", "-c", script, "sh", ...unguarded(plan).argv] };
}

/** Starts its tool in the caller's environment. */
export function withCallersEnvironment(plan: ToolPlan): ToolPlan {
  return { ...plan, env: { ...process.env } as Record<string, string> };
}

/** Does not know which processes are the program's, and so has nothing verified before it starts. */
export function withoutReport(plan: ToolPlan): ToolPlan {
  const copy: { -readonly [Part in keyof ToolPlan]: ToolPlan[Part] } = { ...plan };
  const { 10: hold, ...fds } = plan.fds ?? {};
  if (hold !== "hold") throw new Error("bubblewrap holds by another fd");
  copy.fds = fds;
  const [tool, ...words] = plan.argv;
  copy.argv = [tool, ...words.filter((word) => word !== "--block-fd" && word !== "10")];
  delete copy.readReport;
  delete copy.signals;
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

/** Something that is said to enforce everything. */
export const everything: ToolPlan["mechanisms"] = Object.fromEntries(
  allCapabilities().map((word) => [word, "words"]),
);

/** Runs the program on the host. */
export function nothing(): Lie {
  return says({
    plan: ({ env }) => ({
      kind: "tool",
      argv: ["/usr/bin/env", "--"],
      env,
      mechanisms: everything,
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
