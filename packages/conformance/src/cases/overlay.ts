import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfigInput } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { refused, succeeded } from "../check.js";
import type { Context } from "../context.js";

export const overlay: Topic = {
  title: "overlay",
  cases: [
    {
      title: "what is written, changed and removed in the root is so inside only",
      needs: ["root", "root.overlay"],
      proves: ["root.overlay"],
      async run(context) {
        const { root, sh } = context;
        const before = readFileSync(join(root, "etc/motd"), "utf8");
        const script =
          "echo new > /data/new && echo changed > /etc/motd && rm /data/file && mkdir /top && cat /etc/motd && ls /data";
        const { out } = succeeded(await sh(script, layered(context, "a")));
        assert.match(out, /^changed\n/);
        assert(out.includes("new\n") && !out.includes("file\n"), out);
        assert.equal(readFileSync(join(root, "etc/motd"), "utf8"), before);
        assert(readdirSync(join(root, "data")).includes("file"));
      },
    },
    {
      title: "what was written is there for the next run with the same layer, and for no other",
      needs: ["root", "root.overlay"],
      async run(context) {
        const { sh } = context;
        const same = layered(context, "a");
        succeeded(await sh("mkdir /data/of-a && rm /etc/motd", same));
        succeeded(await sh("test -d /data/of-a && ! test -e /etc/motd", same));
        succeeded(await sh("! test -e /data/of-a && test -e /etc/motd", layered(context, "b")));
      },
    },
    {
      title: "a layer may have any name",
      needs: ["root", "root.overlay"],
      async run(context) {
        const odd = layered(context, "it's: a,b=c\\d\n-ü");
        succeeded(await context.sh("echo x > /data/new", odd));
      },
    },
    {
      title: "a mount point that only the layer has can be mounted on",
      needs: ["root", "root.overlay", "mount.tmpfs"],
      async run(context) {
        const config = layered(context, "a");
        mkdirSync(join(context.scratch, "a/upper/only-there"));
        const mounts = [{ type: "tmpfs", target: "/only-there" }] as const;
        succeeded(await context.sh("touch /only-there/x && touch /beside", { ...config, mounts }));
        assert.deepEqual(readdirSync(join(context.scratch, "a/upper/only-there")), []);
      },
    },
    {
      title: "no directory above a hidden path can be moved away, one that only the layer has too",
      needs: ["root", "root.overlay", "hidden"],
      tools: ["mv"],
      async run(context) {
        const config = layered(context, "a");
        const added = join(context.scratch, "a/upper/data/a/b");
        mkdirSync(added, { recursive: true });
        writeFileSync(join(added, "key"), "key\n");
        const script =
          "! mv /data/a/b /data/a/c && ! mv /data/a /data/c && ! mv /secret /secrets && echo x > /data/a/b/new";
        const hidden = ["/data/a/b/key", "/secret/key"];
        succeeded(await context.sh(script, { ...config, hidden }));
        assert.deepEqual(readdirSync(added).sort(), ["key", "new"]);
      },
    },
    {
      title: "a directory that is missing or none is PATH_INVALID",
      needs: ["root", "root.overlay"],
      async run(context) {
        const { scratch, sandbox } = context;
        const config = layered(context, "a");
        writeFileSync(join(scratch, "file"), "");
        for (const [field, path] of [
          ["upper", "no"],
          ["work", "file"],
        ] as const) {
          const wrong = {
            ...(config.overlay ?? { upper: "", work: "" }),
            [field]: join(scratch, path),
          };
          const error = await refused(sandbox({ ...config, overlay: wrong }), "PATH_INVALID");
          assert.equal(error.path, `overlay.${field}`);
        }
      },
    },
  ],
};

function layered({ scratch }: Context, name: string): ConfigInput {
  const [upper, work] = [join(scratch, name, "upper"), join(scratch, name, "work")];
  for (const path of [upper, work]) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o755);
  }
  return { overlay: { upper, work }, writable: "all" };
}
