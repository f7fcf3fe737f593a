import assert from "node:assert/strict";
import { chmodSync, chownSync } from "node:fs";
import { join } from "node:path";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";
import { hasPowersOfRoot } from "../host/powers.js";

/** Opened, and never written to. */
const KERNEL = ["/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/vm/swappiness"];

const onlyRoot = (): string | undefined =>
  hasPowersOfRoot() ? undefined : "only root has powers to lose";

export const powers: Topic = {
  title: "powers",
  cases: [
    {
      title: "root inside a user namespace cannot open what another user of the host keeps closed",
      needs: ["root", "isolate.user"],
      skip: onlyRoot,
      async run({ root, sh }) {
        const file = join(root, "secret/key");
        chownSync(file, 4321, 4321);
        chmodSync(file, 0o600);
        assert.equal((await sh("cat /secret/key")).out, "");
      },
    },
    {
      title: "root inside a user namespace cannot give files to another user of the host",
      needs: ["root", "isolate.user"],
      tools: ["chown"],
      skip: onlyRoot,
      async run({ sh }) {
        const ran = await sh("chown 4321:4321 /data/file", { writable: "all" });
        assert.notEqual(ran.exitCode, 0);
      },
    },
    {
      title: "root inside a user namespace cannot change the host's kernel",
      needs: ["mount.proc", "isolate.user"],
      skip: onlyRoot,
      async run({ sh }) {
        const script = 'for f in "$@"; do (: >> "$f") 2>&- && echo "$f"; done; exit 0';
        assert.equal(succeeded(await sh([script, ...KERNEL])).out, "");
      },
    },
  ],
};
