// Lets a command work in one directory of the host: everything else is read-only, secrets are hidden, and what could
// not be enforced on this machine is listed instead of being dropped in silence.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "@sandboxlib/core";

const workspace = mkdtempSync("/var/tmp/sandboxlib-workspace-");
try {
  const result = await run(
    {
      command: ["sh", "-c", "echo done > report; cat /root/.profile; touch /etc/mark"],
      cwd: workspace,
      writable: [workspace],
      hidden: ["/root"],
    },
    { prefer: ["hidden"] },
  );
  console.log(readFileSync(join(workspace, "report"), "utf8").trim());
  console.log(Buffer.from(result.stderr).toString().trim().split("\n").length, "refusals");
  for (const { capability, reason } of result.enforcement.dropped) console.log(capability, reason);
} finally {
  rmSync(workspace, { recursive: true });
}
