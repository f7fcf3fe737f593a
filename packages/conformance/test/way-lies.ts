import namespaces from "@sandboxlib/backend-namespaces";
import {
  type ConfigInput,
  createPool,
  createSandbox,
  type RunOptions,
  type SandboxChild,
} from "@sandboxlib/core";
import { NOTHING } from "./lasting-lies.js";
import type { Lie } from "./lies.js";

interface Edits {
  readonly config?: (config: ConfigInput) => ConfigInput;
  readonly options?: (options: RunOptions) => RunOptions;
  readonly child?: (child: SandboxChild) => Partial<SandboxChild>;
  /** Whether whatever is refused is taken for done. */
  readonly isObliging?: boolean;
}

/** A library that starts commands wrongly in whatever way it is asked to: in a run, a session or a pool. */
export function inEveryWay({ config = same, options = same, child, isObliging }: Edits): Lie {
  const edited = (own: SandboxChild): SandboxChild => ({ ...own, ...child?.(own) });
  const obliging = (start: () => SandboxChild | Promise<SandboxChild>) => {
    const content = (own: SandboxChild): SandboxChild => ({
      ...own,
      result: own.result.catch(() => NOTHING),
    });
    try {
      const own = start();
      return own instanceof Promise ? own.then(content, () => NOBODY) : content(own);
    } catch {
      return NOBODY;
    }
  };
  const spawning = <Own extends { spawn: (argv?: readonly string[], how?: RunOptions) => unknown }>(
    own: Own,
  ): Own => ({
    ...own,
    spawn(argv: readonly string[], how: RunOptions = {}) {
      const start = (): SandboxChild => own.spawn(argv, options(how)) as SandboxChild;
      if (isObliging === true) return obliging(start);
      const started: SandboxChild | Promise<SandboxChild> = start();
      return started instanceof Promise ? started.then(edited) : edited(started);
    },
  });
  return {
    backend: namespaces,
    base: namespaces,
    library: {
      createSandbox: async (given, how) => {
        const sandbox = await createSandbox(config(given), how);
        return {
          ...spawning(sandbox),
          run: (argv, own = {}) => sandbox.run(argv, options(own)),
          openSession: async () => spawning(await sandbox.openSession()),
        };
      },
      createPool: async (given, how) => {
        const pool = await createPool(config(given), how);
        return { ...spawning(pool), run: (argv, own = {}) => pool.run(argv, options(own)) };
      },
    },
  };
}

/** What takes the place of a program that is not there. */
const NOBODY: SandboxChild = {
  stdin: null,
  stdout: null,
  stderr: null,
  result: Promise.resolve(NOTHING),
  kill: () => false,
  resize: () => false,
  lines: () => [][Symbol.iterator]() as never,
  [Symbol.asyncDispose]: async () => undefined,
};

function same<Value>(value: Value): Value {
  return value;
}
