import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Topic } from "../case.js";
import { refused, succeeded } from "../check.js";

export const root: Topic = {
  title: "root",
  cases: [
    {
      title: "the program sees the files of the root, and no other",
      needs: ["root"],
      proves: ["root"],
      async run({ root: directory, sh }) {
        const { out } = succeeded(await sh("ls -A /; cat /etc/motd"));
        const expected = [...readdirSync(directory).sort(), "the root of the kit", ""];
        assert.deepEqual(out.split("\n"), expected);
      },
    },
    {
      title: "`..` does not lead out of the root",
      needs: ["root"],
      async run({ scratch, sh }) {
        writeFileSync(join(scratch, "secret"), "host\n");
        const up = "../".repeat(30);
        const script = `for p in "$@"; do cat "$p" && exit 1; done; cd ${up} && cat etc/motd && pwd -P`;
        const paths = [
          `${scratch}/secret`,
          `${up}${scratch}/secret`,
          `/data/${up}${scratch}/secret`,
        ];
        const { out } = succeeded(await sh([script, ...paths]));
        assert.equal(out, "the root of the kit\n/\n");
      },
    },
    {
      title: "no process that is seen inside leads to the root of the host",
      needs: ["root", "mount.proc", "isolate.pid"],
      async run({ scratch, sh }) {
        writeFileSync(join(scratch, "secret"), "host\n");
        const script =
          'for p in /proc/[0-9]*/root /proc/[0-9]*/cwd; do cat "$p$1/secret"; done; exit 0';
        assert.equal(succeeded(await sh([script, scratch])).out, "");
      },
    },
    {
      title: "a directory with an odd name can be a root",
      needs: ["root", "mount.bind"],
      async run({ put, root: directory, sh }) {
        put("/work/it's: a,b=c\\d\n-ü/etc/motd", "odd\n");
        const odd = join(directory, "work/it's: a,b=c\\d\n-ü");
        put("/work/it's: a,b=c\\d\n-ü/bin/x", "");
        const bin = { type: "bind", source: join(directory, "bin"), target: "/bin" } as const;
        const libraries = readdirSync(directory).filter((name) => name.startsWith("lib"));
        for (const name of libraries) put(`/work/it's: a,b=c\\d\n-ü/${name}/x`, "");
        const mounts = libraries.map((name) => ({
          ...bin,
          source: join(directory, name),
          target: `/${name}`,
        }));
        assert.equal(
          succeeded(await sh("cat /etc/motd", { root: odd, mounts: [bin, ...mounts] })).out,
          "odd\n",
        );
      },
    },
    {
      title: "a root that is missing or no directory is PATH_INVALID",
      needs: ["root"],
      async run({ root: directory, sandbox }) {
        for (const path of [`${directory}/no`, `${directory}/data/file`]) {
          const error = await refused(sandbox({ root: path }), "PATH_INVALID");
          assert.equal(error.path, "root");
        }
      },
    },
    {
      title: "the host's own root can be used as it is",
      async run({ scratch, sh }) {
        writeFileSync(join(scratch, "file"), "host\n");
        const config = { root: "/", mounts: [], writable: "all" } as const;
        assert.equal(succeeded(await sh(['cat "$1"/file', scratch], config)).out, "host\n");
      },
    },
  ],
};
