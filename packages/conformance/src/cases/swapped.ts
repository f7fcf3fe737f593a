import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfigInput, Sandbox } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { refused } from "../check.js";
import type { Context } from "../context.js";
import { list } from "../host/listing.js";
import { buildRoot } from "../root/build.js";

/** What reads the secret by whatever name a swapped path leads to it. */
const READ = "cat /mnt/other/key /mnt/other/below/key /mnt/file /data/key 2>&-; :";

export const swapped: Topic = {
  title: "swapped paths",
  cases: [
    {
      title:
        "a symlink that took the place of a source, or of a directory above it, is PATH_INVALID",
      needs: ["root", "mount.bind"],
      async run(context) {
        for (const where of ["", "above"]) {
          const source = join(context.scratch, where, "source");
          mkdirSync(join(source, "below"), { recursive: true });
          const made = await context.sandbox(bindAt(source, "/mnt/other"));
          swap(context, where === "" ? source : join(context.scratch, where));
          await isRefused(made, "mounts[0]");
        }
      },
    },
    {
      title: "a symlink that took the place of a file that is a source is PATH_INVALID",
      needs: ["root", "mount.bind"],
      async run(context) {
        const source = join(context.scratch, "file");
        writeFileSync(source, "host\n");
        const made = await context.sandbox(bindAt(source, "/mnt/file"));
        rmSync(source);
        symlinkSync(join(secretOf(context), "key"), source);
        await isRefused(made, "mounts[0]");
      },
    },
    {
      title: "a source that has gone is PATH_INVALID",
      needs: ["root", "mount.bind"],
      async run({ sandbox, scratch }) {
        const source = join(scratch, "source");
        mkdirSync(source);
        const made = await sandbox(bindAt(source, "/mnt/other"));
        renameSync(source, join(scratch, "gone"));
        await isRefused(made, "mounts[0]");
      },
    },
    {
      title: "a symlink that took the place of a writable path is PATH_INVALID",
      needs: ["root", "writable.paths"],
      async run(context) {
        const made = await context.sandbox({ writable: ["/data"] });
        await swapInRoot(context, made, "writable[0]");
      },
    },
    {
      title: "a symlink that took the place of a hidden path is PATH_INVALID",
      needs: ["root", "hidden"],
      async run(context) {
        const made = await context.sandbox({ hidden: ["/data"] });
        await swapInRoot(context, made, "hidden[0]");
      },
    },
    {
      title: "a symlink that took the place of the root is PATH_INVALID",
      needs: ["root"],
      async run(context) {
        const root = join(context.scratch, "root");
        buildRoot(root, context.kit.recipe);
        const made = await context.sandbox({ root });
        renameSync(root, `${root}.old`);
        symlinkSync(context.root, root);
        await isRefused(made, "root");
      },
    },
    {
      title: "a symlink where a mount point was to be made is PATH_INVALID",
      needs: ["root", "mount.create", "mount.tmpfs", "writable.paths"],
      async run(context) {
        const mounts = [{ type: "tmpfs", target: "/data/new" }] as const;
        const made = await context.sandbox({ mounts });
        await swapInRoot(context, made, "mounts[0].target");
      },
    },
  ],
};

function bindAt(source: string, target: string): ConfigInput {
  return { mounts: [{ type: "bind", source, target }] };
}

function secretOf({ scratch }: Context): string {
  const secret = join(scratch, "secret");
  mkdirSync(join(secret, "source"), { recursive: true });
  for (const at of ["key", "source/key"]) writeFileSync(join(secret, at), "the host's secret\n");
  return secret;
}

/** Puts a symlink to the secret of the host in the place of a directory. */
function swap(context: Context, path: string): void {
  renameSync(path, `${path}.old`);
  symlinkSync(secretOf(context), path);
}

async function swapInRoot(context: Context, made: Sandbox, field: string): Promise<void> {
  swap(context, join(context.root, "data"));
  context.allow("/data");
  context.allow("/data.old");
  const before = list(secretOf(context));
  await isRefused(made, field);
  assert.deepEqual(list(join(context.scratch, "secret")), before);
}

async function isRefused(made: Sandbox, field: string): Promise<void> {
  const error = await refused(made.run(["sh", "-c", READ]), "PATH_INVALID");
  assert.equal(error.path?.replace(/\.(source|target)$/, ""), field.replace(/\.\w+$/, ""));
}
