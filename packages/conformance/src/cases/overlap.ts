import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Topic } from "../case.js";
import { refused, succeeded } from "../check.js";

export const overlap: Topic = {
  title: "mounts over mounts",
  cases: [
    {
      title: "a mount within a mount appears, whichever is listed first",
      needs: ["root", "mount.bind"],
      async run({ scratch, sh }) {
        mkdirSync(join(scratch, "outer/inner"), { recursive: true });
        mkdirSync(join(scratch, "other"));
        writeFileSync(join(scratch, "other/file"), "other\n");
        const outer = { type: "bind", source: join(scratch, "outer"), target: "/mnt" } as const;
        const inner = { ...outer, source: join(scratch, "other"), target: "/mnt/inner" };
        for (const mounts of [
          [outer, inner],
          [inner, outer],
        ])
          assert.equal(succeeded(await sh("cat /mnt/inner/file", { mounts })).out, "other\n");
        assert.deepEqual(readdirSync(join(scratch, "outer/inner")), []);
      },
    },
    {
      title: "a mount point is made in a tmpfs, and nowhere on the host",
      needs: ["root", "mount.bind", "mount.tmpfs"],
      async run({ root, scratch, sh }) {
        writeFileSync(join(scratch, "file"), "host\n");
        const bind = { type: "bind", source: scratch, target: "/data/made/deep" } as const;
        const file = {
          type: "bind",
          source: join(scratch, "file"),
          target: "/data/made/f",
        } as const;
        const mounts = [bind, file, { type: "tmpfs", target: "/data" } as const];
        const script = "cat /data/made/deep/file /data/made/f; ls /data/made; cd /data/made && pwd";
        assert.equal(
          succeeded(await sh(script, { mounts })).out,
          "host\nhost\ndeep\nf\n/data/made\n",
        );
        assert.deepEqual(readdirSync(join(root, "data")), ["deep", "file"]);
      },
    },
    {
      title: "a tmpfs over a directory of a bind leaves the host's directory alone",
      needs: ["root", "mount.bind", "mount.tmpfs"],
      async run({ scratch, sh }) {
        mkdirSync(join(scratch, "inner"));
        writeFileSync(join(scratch, "inner/file"), "host\n");
        const mounts = [
          { type: "bind", source: scratch, target: "/mnt/other" },
          { type: "tmpfs", target: "/mnt/other/inner" },
        ] as const;
        const script = "ls -A /mnt/other/inner; echo new > /mnt/other/inner/new";
        assert.equal(succeeded(await sh(script, { mounts })).out, "");
        assert.deepEqual(readdirSync(join(scratch, "inner")), ["file"]);
      },
    },
    {
      title:
        "a read-only bind stays read-only in a writable directory, and a writable one is written in a read-only directory",
      needs: ["root", "writable.paths", "mount.bind.readOnly"],
      async run({ allow, scratch, sh }) {
        allow("/data/new");
        const base = { type: "bind", source: scratch } as const;
        const mounts = [
          { ...base, target: "/data/deep", readOnly: true },
          { ...base, target: "/mnt/other" },
        ];
        const script = "(echo x > /data/deep/x) 2>&-; echo x > /data/new; echo x > /mnt/other/y";
        succeeded(await sh(script, { mounts, writable: ["/data"] }));
        assert.deepEqual(readdirSync(scratch), ["y"]);
      },
    },
    {
      title: "a path in a read-only bind can be made writable",
      needs: ["root", "writable.paths", "mount.bind.readOnly"],
      async run({ scratch, sh }) {
        mkdirSync(join(scratch, "open"));
        const bind = {
          type: "bind",
          source: scratch,
          target: "/mnt/other",
          readOnly: true,
        } as const;
        const config = { mounts: [bind], writable: ["/mnt/other/open"] };
        await sh("echo x > /mnt/other/open/new; echo x > /mnt/other/new", config);
        assert.deepEqual(readdirSync(scratch), ["open"]);
        assert.deepEqual(readdirSync(join(scratch, "open")), ["new"]);
      },
    },
    {
      title:
        "a mount point that exists neither in the root nor in memory is PATH_INVALID, and is not made",
      needs: ["root", "mount.tmpfs"],
      async run({ sandbox }) {
        for (const target of ["/no/such", "/data/file", "/data/file/below", "/data/no"]) {
          const attempt = sandbox({ mounts: [{ type: "tmpfs", target }], writable: "all" });
          assert.equal((await refused(attempt, "PATH_INVALID")).path, "mounts[0].target");
        }
      },
    },
  ],
};
