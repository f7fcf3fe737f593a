import assert from "node:assert/strict";
import { existsSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ConfigInput, isSandboxError, type MountInput } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { refused, succeeded } from "../check.js";
import type { Context } from "../context.js";
import { list } from "../host/listing.js";
import { linkUp, traps } from "../root/traps.js";

export const hostile: Topic = {
  title: "hostile roots",
  cases: [
    {
      title:
        "a mount target that is a symlink to the host is PATH_INVALID, and nothing is made there",
      needs: ["root"],
      async run(context) {
        const { outside, links } = traps(context);
        const before = list(outside);
        for (const target of links)
          for (const mount of mountsAt(context, target)) await comesToNothing(context, mount);
        assert.deepEqual(list(outside), before);
      },
    },
    {
      title:
        "a mount target below a symlink to the host is PATH_INVALID, and nothing is made there",
      needs: ["root"],
      async run(context) {
        const { outside, links } = traps(context);
        const before = list(outside);
        for (const link of links)
          for (const target of [`${link}/existing`, `${link}/new/deep`])
            for (const mount of mountsAt(context, target)) await comesToNothing(context, mount);
        assert.deepEqual(list(outside), before);
      },
    },
    {
      title: "a writable path that is a symlink to the host is PATH_INVALID",
      needs: ["root", "writable.paths"],
      async run(context) {
        for (const link of traps(context).links)
          await refused(attempt(context, { writable: [link] }), "PATH_INVALID");
      },
    },
    {
      title: "a hidden path or a cwd that is a symlink to the host is PATH_INVALID",
      needs: ["root"],
      async run(context) {
        for (const link of traps(context).links) {
          await refused(attempt(context, { cwd: link }), "PATH_INVALID");
          if (context.kit.has.has("hidden"))
            await refused(attempt(context, { hidden: [link] }), "PATH_INVALID");
        }
      },
    },
    {
      title: "an absolute symlink is resolved inside the root",
      needs: ["root", "mount.bind"],
      async run(context) {
        const { root, scratch, sh } = context;
        writeFileSync(join(scratch, "file"), "host\n");
        symlinkSync("/data/deep", join(root, "absolute"));
        symlinkSync("../../../../../data/./deep", join(root, "data/chain"));
        for (const target of ["/absolute", "/data/chain"]) {
          const mounts = [{ type: "bind", source: scratch, target }] as const;
          assert.equal(succeeded(await sh("cat /data/deep/file", { mounts })).out, "host\n");
        }
      },
    },
    {
      title: "a link to / is one to the root's own, and nothing through it reaches the host",
      needs: ["root", "mount.bind"],
      async run(context) {
        const { allow, marker, root, scratch, sh } = context;
        const [up, before] = [linkUp(context), readdirSync("/")];
        writeFileSync(join(scratch, "file"), "host\n");
        const mounts = [{ type: "bind", source: scratch, target: `${up}/data/deep` }] as const;
        assert.equal(succeeded(await sh("cat /data/deep/file", { mounts })).out, "host\n");
        for (const mount of mountsAt(context, up)) {
          const error = await refused(attempt(context, { mounts: [mount] }), "PATH_INVALID");
          assert.equal(error.path, "mounts[0].target");
        }
        allow("/data");
        const write = 'echo new > "/data/$0"';
        succeeded(await sh(write, { mounts: [], writable: [`${up}/data`] }));
        assert(existsSync(join(root, "data", marker)) && !existsSync(join("/data", marker)));
        assert.deepEqual(readdirSync("/"), before);
      },
    },
    {
      title: "a symlink that took the place of a mount point since the last run is PATH_INVALID",
      needs: ["root"],
      async run(context) {
        const { outside } = traps(context);
        const { allow, root, sandbox } = context;
        const before = list(outside);
        for (const mount of mountsAt(context, "/data")) {
          const made = await sandbox({ mounts: [mount] });
          assert.equal((await made.run(["sh", "-c", ":"])).exitCode, 0);
          renameSync(join(root, "data"), join(root, "data.old"));
          symlinkSync(outside, join(root, "data"));
          allow("/data");
          await refused(made.run(["sh", "-c", ":"]), "PATH_INVALID");
          renameSync(join(root, "data"), join(root, `link-${mount.type}`));
          renameSync(join(root, "data.old"), join(root, "data"));
          allow(`/link-${mount.type}`);
        }
        assert.deepEqual(list(outside), before);
      },
    },
  ],
};

/** One mount of each kind that the backend has. */
function mountsAt({ kit, scratch }: Context, target: string): MountInput[] {
  const all: MountInput[] = [
    { type: "bind", source: scratch, target },
    { type: "tmpfs", target },
    { type: "proc", target },
    { type: "dev", target },
  ];
  return all.filter(({ type }) => kit.has.has(`mount.${type}`));
}

/** Where mount points are made in memory, one may be made inside, where the symlink leads to nothing. */
async function comesToNothing(context: Context, mount: MountInput): Promise<void> {
  const writable = "all";
  await refused(attempt(context, { mounts: [mount], writable }), "PATH_INVALID");
  const readOnly = attempt(context, { mounts: [mount] });
  if (!context.kit.has.has("mount.create")) return void (await refused(readOnly, "PATH_INVALID"));
  await readOnly.catch((error: unknown) => {
    assert(isSandboxError(error) && error.code === "PATH_INVALID", String(error));
  });
}

async function attempt({ sandbox }: Context, extra: ConfigInput): Promise<void> {
  const made = await sandbox(extra);
  await made.run(["sh", "-c", ":"]);
}
