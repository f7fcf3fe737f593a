import type { SandboxResult } from "@sandboxlib/core";

/** An app that is ready to run, alone or beside others. */
export interface Living {
  /** Commands before the app and after it. */
  readonly preStart: readonly (readonly string[])[];
  readonly postStop: readonly (readonly string[])[];
  /** Runs a command where the app runs; without one, the app itself. */
  run(argv: readonly string[] | undefined, signal: AbortSignal): Promise<SandboxResult>;
}

/** What became of an app. */
export interface Lived {
  /** What the app came to; undefined when it was never started. */
  readonly result?: SandboxResult;
  /** What the command before it came to that failed, so that no app was started. */
  readonly failed?: SandboxResult;
  /** What the commands after it came to. They change nothing about the result. */
  readonly after: readonly SandboxResult[];
}

/**
 * Runs apps to their end: first what comes before each of them, one after the other; then all apps at once; then what
 * comes after each, whatever happened, in the order of the apps.
 *
 * @throws what a run throws. The other apps are ended first, and what comes after them is run.
 */
export async function live(apps: readonly Living[]): Promise<readonly Lived[]> {
  const results: (SandboxResult | undefined)[] = [];
  const failures: (SandboxResult | undefined)[] = [];
  const after: SandboxResult[][] = apps.map(() => []);
  const errors: unknown[] = [];
  try {
    const failed = await firstFailure(apps);
    if (failed === undefined) results.push(...(await together(apps)));
    else failures[failed.index] = failed.result;
  } catch (error) {
    errors.push(error);
  }
  for (const [index, app] of apps.entries()) {
    for (const argv of app.postStop) {
      await app.run(argv, NEVER).then(
        (result) => after[index]?.push(result),
        (error: unknown) => errors.push(error),
      );
    }
  }
  if (errors.length > 0) throw errors[0];
  return apps.map((_, index) => ({
    ...(results[index] !== undefined && { result: results[index] }),
    ...(failures[index] !== undefined && { failed: failures[index] }),
    after: after[index] ?? [],
  }));
}

const NEVER = new AbortController().signal;

async function firstFailure(
  apps: readonly Living[],
): Promise<{ readonly index: number; readonly result: SandboxResult } | undefined> {
  for (const [index, app] of apps.entries()) {
    for (const argv of app.preStart) {
      const result = await app.run(argv, NEVER);
      if (result.outcome !== "exited" || result.exitCode !== 0) return { index, result };
    }
  }
  return undefined;
}

/** Where one cannot even be started, the others are not left to wait for it. */
async function together(apps: readonly Living[]): Promise<readonly SandboxResult[]> {
  const controller = new AbortController();
  const runs = apps.map((app) => app.run(undefined, controller.signal));
  for (const run of runs) run.catch(() => controller.abort());
  await Promise.allSettled(runs);
  return Promise.all(runs);
}
