import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Topic } from "../case.js";
import { refused, succeeded } from "../check.js";
import { noSubmount, withSubmount } from "../host/mounts.js";

export const bind: Topic = {
  title: "bind",
  cases: [
    {
      title: "a directory of the host appears at its target and can be written",
      needs: ["root", "mount.bind"],
      proves: ["mount.bind"],
      async run({ scratch, sh }) {
        writeFileSync(join(scratch, "file"), "host\n");
        const mounts = [{ type: "bind", source: scratch, target: "/mnt/other" }] as const;
        const script = "cat /mnt/other/file && echo inside > /mnt/other/new";
        assert.equal(succeeded(await sh(script, { mounts })).out, "host\n");
        assert.equal(readFileSync(join(scratch, "new"), "utf8"), "inside\n");
      },
    },
    {
      title: "a file of the host appears at its target and can be written",
      needs: ["root", "mount.bind"],
      async run({ scratch, sh }) {
        writeFileSync(join(scratch, "file"), "host\n");
        const mounts = [
          { type: "bind", source: join(scratch, "file"), target: "/mnt/file" },
        ] as const;
        const script = "cat /mnt/file && echo inside > /mnt/file";
        assert.equal(succeeded(await sh(script, { mounts })).out, "host\n");
        assert.equal(readFileSync(join(scratch, "file"), "utf8"), "inside\n");
      },
    },
    {
      title: "a read-only bind cannot be written",
      needs: ["root", "mount.bind.readOnly"],
      proves: ["mount.bind.readOnly"],
      tools: ["chmod"],
      async run({ scratch, sh }) {
        mkdirSync(join(scratch, "d"));
        writeFileSync(join(scratch, "d/file"), "host\n");
        const base = { type: "bind", readOnly: true } as const;
        const mounts = [
          { ...base, source: join(scratch, "d"), target: "/mnt/other" },
          { ...base, source: join(scratch, "d/file"), target: "/mnt/file" },
        ];
        const script =
          "cat /mnt/file || exit 0; echo x > /mnt/file || echo x > /mnt/other/file || echo x > /mnt/other/new || " +
          "rm -f /mnt/other/file || mkdir /mnt/other/d || chmod 777 /mnt/other/file";
        assert.notEqual((await sh(script, { mounts, writable: "all" })).exitCode, 0);
        assert.equal(readFileSync(join(scratch, "d/file"), "utf8"), "host\n");
      },
    },
    {
      title: "a file system that is mounted below a read-only bind cannot be written either",
      needs: ["root", "mount.bind.readOnly"],
      skip: noSubmount,
      async run({ marker, sh }) {
        const script = '(echo x > "$1") 2>&- && rm -f "$1" && echo written; exit 0';
        await withSubmount(marker, async (directory) => {
          const write = async (readOnly: boolean): Promise<string> => {
            const bind = { type: "bind", source: "/", target: "/mnt/other", readOnly } as const;
            const file = `/mnt/other${directory}/file`;
            return succeeded(await sh([script, file], { mounts: [bind] })).out;
          };
          assert.deepEqual([await write(false), await write(true)], ["written\n", ""]);
        });
      },
    },
    {
      title: "a bind whose source or target is missing, or of another kind, is PATH_INVALID",
      needs: ["root", "mount.bind"],
      async run({ sandbox, scratch }) {
        const wrong = [
          { path: "mounts[0].source", source: join(scratch, "no"), target: "/mnt/other" },
          { path: "mounts[0].target", source: scratch, target: "/no/such" },
          { path: "mounts[0].target", source: scratch, target: "/data/file" },
          { path: "mounts[0].target", source: "/etc/passwd", target: "/mnt/other" },
        ];
        for (const { path, ...mount } of wrong) {
          const attempt = sandbox({ mounts: [{ type: "bind", ...mount }], writable: "all" });
          assert.equal((await refused(attempt, "PATH_INVALID")).path, path);
        }
      },
    },
  ],
};
