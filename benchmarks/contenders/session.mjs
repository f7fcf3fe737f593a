import { createSandbox } from "@sandboxlib/core";
import { configWith, succeeds, unlessUnavailable } from "./library.mjs";

/** One sandbox of ours for all runs. */
export function session({ argv, binds }) {
  return unlessUnavailable(async () => {
    const sandbox = await createSandbox(configWith(binds), { backend: "namespaces" });
    const opened = await sandbox.openSession();
    return { run: () => succeeds(opened.run(argv)), close: () => opened.close(), maker: opened };
  });
}
