import { createSandbox, isSandboxError } from "@sandboxlib/core";

/** Our library with one backend, a fresh sandbox for each run. */
export function library(backend, config = {}) {
  return ({ argv, binds }) =>
    unlessUnavailable(async () => {
      const sandbox = await createSandbox({ ...configWith(binds), ...config }, { backend });
      return { run: () => succeeds(sandbox.run(argv)), maker: sandbox };
    });
}

/** The default config, or the same with these mounts in place of the tmpfs that would cover them. */
export function configWith(binds) {
  if (binds.length === 0) return { cwd: "/" };
  const mounts = binds.map((bind) => ({ type: "bind", readOnly: true, ...bind }));
  return {
    cwd: "/",
    mounts: [{ type: "proc", target: "/proc" }, { type: "dev", target: "/dev" }, ...mounts],
    defaultMounts: false,
  };
}

/** A backend that this host cannot use is a contender that is skipped, with the reason that users would be told. */
export async function unlessUnavailable(make) {
  try {
    return await make();
  } catch (error) {
    if (!isSandboxError(error)) throw error;
    return { skipped: error.message };
  }
}

/** A benchmark of runs that fail would measure nothing. */
export async function succeeds(result) {
  const { outcome, exitCode } = await result;
  if (exitCode !== 0) throw new Error(`the run ended as ${outcome}, ${exitCode}`);
}
