import { existsSync } from "node:fs";

const installed = existsSync(new URL("../rivals/node_modules", import.meta.url));

/** Another library, from the project of its own in rivals/. It is made ready once, and then does each run. */
export function rival(load) {
  return async ({ argv, binds }) => {
    if (binds.length > 0) return { skipped: "it cannot mount a directory elsewhere" };
    if (!installed) return { skipped: "not installed: npm ci --prefix benchmarks/rivals" };
    try {
      const { start } = await load();
      const { run, close } = await start();
      await run(argv);
      return { run: () => run(argv), close };
    } catch (error) {
      return { skipped: `it fails here: ${error.message}` };
    }
  };
}
