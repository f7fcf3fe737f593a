import type { SandboxResult } from "@sandboxlib/core";

/** An app that can be run. */
export interface RunnableApp {
  /** The commands before the app and after it. */
  readonly preStart: readonly (readonly string[])[];
  readonly postStop: readonly (readonly string[])[];
  /** Runs a command in the sandbox of the app. Without a command the app itself is run. */
  run(argv: readonly string[] | undefined, signal: AbortSignal): Promise<SandboxResult>;
}

/** How an app, and the commands before and after it, ended. */
export interface AppResult {
  /** The result of the app; undefined when it was never started. */
  readonly result?: SandboxResult;
  /** The result of a command before the app that failed, so that no app was started. */
  readonly failed?: SandboxResult;
  /** The results of the commands after the app. They do not change the result of the app. */
  readonly after: readonly SandboxResult[];
}

/**
 * Runs apps to their end: first the commands before each app, one after the other, then all apps at once. Whatever happened,
 * the commands after each app follow, in the order of the apps.
 *
 * @throws what a run throws. Before that the other apps are ended, and the commands after all apps are run.
 */
export async function runApps(apps: readonly RunnableApp[]): Promise<readonly AppResult[]> {
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
  apps: readonly RunnableApp[],
): Promise<{ readonly index: number; readonly result: SandboxResult } | undefined> {
  for (const [index, app] of apps.entries()) {
    for (const argv of app.preStart) {
      const result = await app.run(argv, NEVER);
      if (result.outcome !== "exited" || result.exitCode !== 0) return { index, result };
    }
  }
  return undefined;
}

/** Runs all apps at once. When one of them cannot be started, the others are ended. */
async function together(apps: readonly RunnableApp[]): Promise<readonly SandboxResult[]> {
  const controller = new AbortController();
  const runs = apps.map((app) => app.run(undefined, controller.signal));
  for (const run of runs) run.catch(() => controller.abort());
  await Promise.allSettled(runs);
  return Promise.all(runs);
}
