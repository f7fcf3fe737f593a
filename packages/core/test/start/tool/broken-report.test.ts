import { expect, test } from "vitest";
import type { Backend } from "../../../src/index.backend.js";
import { run } from "../../../src/index.js";

/** Its tool reports something, and runs on. */
const broken: Backend = {
  apiVersion: 1,
  name: "broken",
  capabilities: new Set(["cwd"]),
  probe: () => Promise.resolve({ available: true }),
  plan: () => ({
    kind: "tool",
    argv: ["/bin/sh", "-c", "echo word >&3; exec sleep 60"],
    env: {},
    fds: { 3: "report" },
    mechanisms: { cwd: "none" },
    readReport: (report) => JSON.parse(report) as object,
    interpret: () => ({ kind: "exited", exitCode: 0 }),
  }),
};

test("a backend that cannot read its tool's report is BACKEND_INVALID, and the tool is ended", async () => {
  const config = { cwd: "/", mounts: [], network: "host", isolate: [], writable: "all" } as const;
  const command = ["true"];
  const failed = run({ ...config, command }, { backend: broken, prefer: "all" });
  await expect(failed).rejects.toMatchObject({ code: "BACKEND_INVALID", backend: "broken" });
});
