import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Topic } from "../case.js";
import { nextText, succeeded } from "../check.js";

const MEBIBYTE = 1024 * 1024;
const mounts = [{ type: "tmpfs", target: "/data" }] as const;

export const memory: Topic = {
  title: "tmpfs",
  cases: [
    {
      title: "a tmpfs is empty and can be written, and the host sees nothing of it",
      needs: ["root", "mount.tmpfs"],
      proves: ["mount.tmpfs"],
      async run({ root, sh }) {
        const script = "ls -A /data; mkdir /data/d && echo new > /data/d/file && cat /data/d/file";
        assert.equal(succeeded(await sh(script, { mounts })).out, "new\n");
        assert.deepEqual(readdirSync(join(root, "data")), ["deep", "file"]);
      },
    },
    {
      title: "a tmpfs can be written by everybody, and holds programs that can be started",
      needs: ["root", "mount.tmpfs"],
      tools: ["chmod"],
      async run({ sh }) {
        const script =
          "ls -ld /data; cat /bin/sh > /data/sh; chmod 755 /data/sh; /data/sh -c 'echo started'";
        assert.match(succeeded(await sh(script, { mounts })).out, /^drwxrwxrwt .*\nstarted\n$/);
      },
    },
    {
      title: "a tmpfs is empty again in the next run",
      needs: ["root", "mount.tmpfs"],
      async run({ sandbox }) {
        const made = await sandbox({ mounts });
        for (let time = 0; time < 2; time += 1) {
          const { stdout } = await made.run(["sh", "-c", "ls -A /data; echo new > /data/new"]);
          assert.equal(Buffer.from(stdout ?? []).toString(), "");
        }
      },
    },
    {
      title: "two runs at the same time do not share a tmpfs",
      needs: ["root", "mount.tmpfs"],
      async run({ sh, spawn }) {
        const child = await spawn("echo new > /data/new && echo ready && read wait", { mounts });
        assert.equal(await nextText(child.stdout), "ready\n");
        assert.equal(succeeded(await sh("ls -A /data", { mounts })).out, "");
      },
    },
    {
      title: "a tmpfs holds its size and no more",
      needs: ["root", "mount.tmpfs.size"],
      proves: ["mount.tmpfs.size"],
      async run({ put, sh }) {
        const config = { mounts: [{ ...mounts[0], size: MEBIBYTE }] };
        const part = put("/part", Buffer.alloc(MEBIBYTE / 4));
        succeeded(await sh(`cat ${part} > /data/part`, config));
        const much = put("/much", Buffer.alloc(MEBIBYTE * 4));
        succeeded(await sh(`cat ${much} > /data/much && exit 1; exit 0`, config));
      },
    },
    {
      title: "a tmpfs of a given size holds a bounded number of empty files",
      needs: ["root", "mount.tmpfs.inodes"],
      proves: ["mount.tmpfs.inodes"],
      async run({ sh }) {
        const count = `i=0; while [ $i -lt 5000 ] && true > /data/$i; do i=$((i+1)); done 2>&-; echo $i`;
        const { out } = await sh(`(${count})`, { mounts: [{ ...mounts[0], size: MEBIBYTE }] });
        assert(Number(out) >= 128 && Number(out) < 5000, `${out.trim()} files were made`);
      },
    },
  ],
};
