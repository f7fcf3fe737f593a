import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfigInput } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";
import type { Context } from "../context.js";

/** Fails when the first argument, or a directory above it but below the second, can be renamed. */
const MOVE = `at=$1; while [ "$at" != "$2" ]; do
  ! mv "$at" "$at.old" 2>&- || exit 1
  at=\${at%/*}
done; echo new > "$1/new"`;

export const renamed: Topic = {
  title: "directories above what is protected",
  cases: [
    {
      title: "in a writable directory, none above a hidden path can be moved away",
      needs: ["root", "hidden", "writable.paths"],
      tools: ["mv"],
      async run(context) {
        deep(join(context.root, "data"));
        await holds(context, "/data", { writable: ["/data"], hidden: ["/data/a/b/key"] });
        await holds(context, "/data", { writable: ["/data"], hidden: ["/data/a/b/in"] });
        isUntouched(join(context.root, "data"));
      },
    },
    {
      title: "in a writable root, none above a hidden path can be moved away",
      needs: ["root", "hidden"],
      tools: ["mv"],
      async run(context) {
        deep(join(context.root, "data"));
        const config = { writable: "all", hidden: ["/data/a/b/key"] } as const;
        await holds(context, "/data", config, "");
        isUntouched(join(context.root, "data"));
      },
    },
    {
      title: "in a writable directory, none above a read-only bind can be moved away",
      needs: ["root", "mount.bind.readOnly"],
      tools: ["mv"],
      async run(context) {
        const data = deep(join(context.root, "data"));
        const mounts = [readOnly(join(data, "a/b/in"), "/data/a/b/in")];
        await holds(context, "/data", { writable: "all", mounts }, "");
        isUntouched(data);
      },
    },
    {
      title: "in a writable bind, none above what is read-only or hidden can be moved away",
      needs: ["root", "mount.bind.readOnly"],
      tools: ["mv"],
      async run(context) {
        const { has } = context.kit;
        const source = deep(join(context.scratch, "tree"));
        const inside = join(source, "a/b/in");
        const bind = { type: "bind", source, target: "/mnt/other" } as const;
        const config = { mounts: [bind, readOnly(inside, "/mnt/other/a/b/in")] };
        await holds(context, "/mnt/other", config);
        if (has.has("hidden"))
          await holds(context, "/mnt/other", { mounts: [bind], hidden: ["/mnt/other/a/b/key"] });
        isUntouched(source);
      },
    },
    {
      title: "in a writable directory of the host's own root, neither",
      needs: ["mount.bind.readOnly", "writable.paths"],
      tools: ["mv"],
      async run(context) {
        const tree = deep(join(context.scratch, "tree"));
        const inside = join(tree, "a/b/in");
        const config = { root: "/", writable: [tree], mounts: [readOnly(inside, inside)] };
        await holds(context, tree, config);
        isUntouched(tree);
      },
    },
  ],
};

function readOnly(source: string, target: string) {
  return { type: "bind", source, target, readOnly: true } as const;
}

/** Makes `a/b` with a file `key` and a directory `in`. */
function deep(directory: string): string {
  mkdirSync(join(directory, "a/b/in"), { recursive: true });
  writeFileSync(join(directory, "a/b/key"), "key\n");
  return directory;
}

/** Nothing from `a/b` up to `top` moves, and what lies beside the protected path can be written as before. */
async function holds(
  { allow, root, sh, scratch }: Context,
  directory: string,
  config: ConfigInput,
  top = directory,
): Promise<void> {
  allow("/data");
  const script = [MOVE, join(directory, "a/b"), top] as const;
  succeeded(await sh(script, config));
  const host =
    config.root === "/" ? directory : directory.replace(/^\/mnt\/other/, join(scratch, "tree"));
  const written = join(host.startsWith(scratch) ? host : join(root, host), "a/b/new");
  assert.equal(readFileSync(written, "utf8"), "new\n");
}

function isUntouched(directory: string): void {
  assert.deepEqual(readdirSync(join(directory, "a/b")).sort(), ["in", "key", "new"]);
  assert.deepEqual(readdirSync(join(directory, "a/b/in")), []);
}
