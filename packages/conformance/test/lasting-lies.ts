import namespaces from "@sandboxlib/backend-namespaces";
import {
  createPool,
  createSandbox,
  type Sandbox,
  SandboxError,
  type SandboxResult,
  type Session,
} from "@sandboxlib/core";
import type { LauncherPlan, LauncherSetup, ResolvedConfig } from "@sandboxlib/core/backend";
import type { PoolParts, SessionParts } from "../src/opened.js";
import type { Lie } from "./lies.js";

/** Lies about what lasts longer than a run: sessions and pools. All are built on backend-namespaces. */
function about(library: Lie["library"]): Lie {
  return { backend: namespaces, base: namespaces, ...(library !== undefined && { library }) };
}

/** A library whose sessions are not what they should be. */
export function sessions(
  fake: (sandbox: Sandbox, honest: () => Promise<Session>) => Promise<Session>,
): Lie {
  return about({
    createSandbox: async (config, given) => {
      const sandbox = await createSandbox(config, given);
      return { ...sandbox, openSession: () => fake(sandbox, () => sandbox.openSession()) };
    },
  });
}

/** A library whose sessions do something else than they are asked to. */
export function edited(edit: (session: SessionParts) => Partial<SessionParts>): Lie {
  return sessions(async (_, honest) => {
    const session = await honest();
    return { ...session, ...edit(session) };
  });
}

/** A library whose pools are not what they should be. */
export function pools(edit: (pool: PoolParts) => Partial<PoolParts>): Lie {
  return about({
    createPool: async (config, given) => {
      const pool = await createPool(config, given);
      return { ...pool, ...edit(pool) };
    },
  });
}

/** A library without pools, that runs a sandbox, or keeps a session, in the place of each. */
export function insteadOfPools(make: (sandbox: Sandbox) => Promise<PoolParts>): Lie {
  return about({
    createPool: async (config, { backend }) => make(await createSandbox(config, { backend })),
  });
}

/** A library that tells something else of each run, in sessions and pools too. */
export function tells(edit: (result: SandboxResult) => SandboxResult): Lie {
  return about({
    createSandbox: async (config, given) => {
      const sandbox = await createSandbox(config, given);
      return {
        ...sandbox,
        run: async (argv, how) => edit(await sandbox.run(argv, how)),
        async openSession() {
          const session = await sandbox.openSession();
          return { ...session, run: async (argv, how) => edit(await session.run(argv, how)) };
        },
      };
    },
    createPool: async (config, given) => {
      const pool = await createPool(config, given);
      return { ...pool, run: async (argv, how) => edit(await pool.run(argv, how)) };
    },
  });
}

/** A backend that gives the launcher another set-up than it should. */
export function setsUp(edit: (setup: LauncherSetup, config: ResolvedConfig) => LauncherSetup): Lie {
  return {
    base: namespaces,
    backend: {
      ...namespaces,
      plan(config, host) {
        const plan = namespaces.plan(config, host) as LauncherPlan;
        return { ...plan, setup: edit(plan.setup, config) };
      },
    },
  };
}

/** A backend that starts its launcher by way of a shell script on the host. */
export function startedBy(script: string): Lie {
  return {
    base: namespaces,
    backend: {
      ...namespaces,
      plan(config, host) {
        const plan = namespaces.plan(config, host) as LauncherPlan;
        return { ...plan, argv: ["/bin/sh", "-c", script, "sh", ...plan.argv] };
      },
    },
  };
}

/** What a library says that does not know what happened. */
export const NOTHING: SandboxResult = {
  outcome: "exited",
  exitCode: 0,
  usage: { wallTime: 1 },
  backend: "namespaces",
  enforcement: { enforced: [], dropped: [] },
};

/** A library that can do one thing at a time. */
export function busy(session: SessionParts): Partial<SessionParts> {
  let running = false;
  const alone = async <Value>(
    start: () => Promise<Value>,
    end: (value: Value) => Promise<unknown>,
  ) => {
    if (running) throw new SandboxError("LAUNCH_FAILED", "a command is running");
    running = true;
    const value = await start();
    const over = (): void => void (running = false);
    end(value).then(over, over);
    return value;
  };
  return {
    run: (...words) =>
      alone(
        () => session.run(...words),
        async () => undefined,
      ).finally(() => (running = false)),
    spawn: (...words) =>
      alone(
        () => session.spawn(...words),
        ({ result }) => result,
      ),
  };
}

/** A result that says what no honest one could. */
export function falsified(result: SandboxResult, lie: object): SandboxResult {
  return { ...result, ...lie } as SandboxResult;
}
