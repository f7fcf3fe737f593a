import { createPool } from "@sandboxlib/core";
import { configWith, succeeds, unlessUnavailable } from "./library.mjs";

const SIZE = 4;

/** Sandboxes of ours that wait, each for one run. */
export function pool({ argv, binds }) {
  return unlessUnavailable(async () => {
    const waiting = await createPool(configWith(binds), { size: SIZE, backend: "namespaces" });
    await waiting.ready();
    return {
      run: () => succeeds(waiting.run(argv)),
      ready: () => waiting.ready(),
      close: () => waiting.close(),
      maker: waiting,
    };
  });
}
