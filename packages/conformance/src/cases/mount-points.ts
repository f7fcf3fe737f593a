import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MountInput } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { nextText, refused, succeeded } from "../check.js";
import type { Context } from "../context.js";
import { list } from "../host/listing.js";

const needs = ["root", "mount.create", "writable.paths"] as const;

export const mountPoints: Topic = {
  title: "mount points",
  cases: [
    {
      title:
        "a bind on a target that the root lacks appears there, a directory and a file, however deep",
      needs: [...needs, "mount.bind"],
      async run({ scratch, sh }) {
        const file = hostFile(scratch);
        const mounts = [
          { type: "bind", source: scratch, target: "/new" },
          { type: "bind", source: file, target: "/new-file" },
          { type: "bind", source: scratch, target: "/data/a/b/c" },
          { type: "bind", source: file, target: "/work/a/b/file" },
        ] as const;
        const script = "cat /new/file /new-file /data/a/b/c/file /work/a/b/file; pwd -P";
        const { out } = succeeded(await sh(script, { mounts, cwd: "/data/a/b" }));
        assert.equal(out, `${"host\n".repeat(4)}/data/a/b\n`);
      },
    },
    {
      title: "a tmpfs on a target that the root lacks can be written",
      needs: [...needs, "mount.tmpfs"],
      proves: ["mount.create"],
      async run({ sh }) {
        const mounts = [{ type: "tmpfs", target: "/data/no/such" }] as const;
        const script = "ls -A /data/no/such; echo x > /data/no/such/file; cat /data/no/such/file";
        assert.equal(succeeded(await sh(script, { mounts })).out, "x\n");
      },
    },
    {
      title: "proc and dev work on targets that the root lacks",
      needs: [...needs, "mount.proc", "mount.dev"],
      async run({ sh }) {
        const mounts = [
          { type: "proc", target: "/no/proc" },
          { type: "dev", target: "/no/dev" },
        ] as const;
        const script = "[ -d /no/proc/self ] && head -c 2 /no/dev/zero && echo x > /no/dev/null";
        assert.equal(succeeded(await sh(script, { mounts })).out, "\0\0");
      },
    },
    {
      title: "several mount points in one directory are all there, one below the other too",
      needs: [...needs, "mount.bind", "mount.tmpfs"],
      async run({ scratch, sh }) {
        const file = hostFile(scratch);
        const mounts = [
          { type: "bind", source: file, target: "/data/two/below/file" },
          { type: "tmpfs", target: "/data/one" },
          { type: "tmpfs", target: "/data/two" },
          { type: "bind", source: scratch, target: "/data/three/deep" },
          { type: "bind", source: file, target: "/data/three/file" },
        ] as const;
        const script =
          "cat /data/two/below/file /data/three/deep/file /data/three/file /data/file; ls -A /data /data/three";
        const { out } = succeeded(await sh(script, { mounts }));
        const listed = "/data:\ndeep\nfile\none\nthree\ntwo\n\n/data/three:\ndeep\nfile\n";
        assert.equal(out, `${"host\n".repeat(3)}data\n${listed}`);
      },
    },
    {
      title: "a mount point is made in a read-only bind, and the bind's source keeps as it is",
      needs: [...needs, "mount.bind.readOnly", "mount.tmpfs"],
      async run({ scratch, sh }) {
        mkdirSync(join(scratch, "deep"));
        hostFile(scratch);
        const before = list(scratch);
        const mounts = [
          { type: "bind", source: scratch, target: "/mnt/other", readOnly: true },
          { type: "tmpfs", target: "/mnt/other/deep/new/x" },
          { type: "tmpfs", target: "/mnt/other/y" },
        ] as const;
        const script = "cat /mnt/other/file; echo x > /mnt/other/deep/new/x/f; ls -A /mnt/other";
        const { out } = succeeded(await sh(script, { mounts }));
        assert.equal(out, "host\ndeep\nfile\ny\n");
        assert.deepEqual(list(scratch), before);
      },
    },
    {
      title: "a mount point is made in the host's own root",
      needs: ["mount.create", "mount.bind", "writable.paths"],
      async run({ marker, scratch, sh }) {
        hostFile(scratch);
        const before = readdirSync("/");
        const mounts = [{ type: "bind", source: scratch, target: `/${marker}/deep` }] as const;
        const script = `cat /${marker}/deep/file; ls -A / | cat`;
        const { out } = succeeded(await sh(script, { root: "/", mounts }));
        assert.deepEqual(out.split("\n").slice(1, -1).sort(), [...before, marker].sort());
        assert.deepEqual(readdirSync("/"), before);
      },
    },
    {
      title: "while the program runs, nothing is added to the root either",
      needs: [...needs, "mount.tmpfs"],
      async run({ root, spawn }) {
        const before = list(root);
        const mounts = [{ type: "tmpfs", target: "/data/no/such" }] as const;
        const child = await spawn("echo x > /data/no/such/x; echo ready; read go", { mounts });
        assert.equal(await nextText(child.stdout), "ready\n");
        assert.deepEqual(list(root), before);
      },
    },
    {
      title: "a mount point that is missing in a writable directory is PATH_INVALID",
      needs: [...needs, "mount.bind"],
      async run(context) {
        const open = { type: "bind", source: context.scratch, target: "/mnt/other" } as const;
        await isRefused(context, ["/data/new", "/data/deep/a/b"], { writable: ["/data"] });
        await isRefused(context, ["/new", "/data/new"], { writable: "all" });
        await isRefused(context, ["/mnt/other/new"], { mounts: [open] });
        assert.deepEqual(readdirSync(context.scratch), []);
      },
    },
    {
      title: "a mount point that the root lacks is PATH_INVALID where none can be made",
      needs: ["root", "mount.bind"],
      lacks: ["mount.create"],
      run: (context) => isRefused(context, ["/no", "/data/no/such"], {}),
    },
  ],
};

function hostFile(directory: string): string {
  const file = join(directory, "file");
  writeFileSync(file, "host\n");
  return file;
}

async function isRefused(
  { sandbox, scratch }: Context,
  targets: readonly string[],
  { mounts = [], ...extra }: Parameters<Context["sandbox"]>[0] & object,
): Promise<void> {
  for (const target of targets) {
    const added: MountInput = { type: "bind", source: scratch, target };
    const attempt = sandbox({ ...extra, mounts: [...mounts, added] });
    assert.equal((await refused(attempt, "PATH_INVALID")).path, `mounts[${mounts.length}].target`);
  }
}
