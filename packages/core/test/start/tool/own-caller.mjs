// Starts `sleep` with the backend that starts something elsewhere, and waits to be killed.

import { run } from "@sandboxlib/core";
import * as tokens from "@sandboxlib/core/backend";
import { elsewhere } from "./own-backend.mjs";

const [place] = process.argv.slice(2);
const config = { cwd: "/", mounts: [], network: "host", isolate: [], writable: "all" };
await run(
  { ...config, command: ["sleep", "1000"] },
  { backend: elsewhere(tokens, place), prefer: "all" },
);
