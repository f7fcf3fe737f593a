import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";
import { noSubmount, withSubmount } from "../host/mounts.js";

/** Writes to each path, and prints those where it worked. There may be no /dev/null for the complaints. */
const CREATE = 'for p in "$@"; do (echo new > "$p") 2>&- && echo "$p"; done; exit 0';

export const writable: Topic = {
  title: "writable",
  cases: [
    {
      title: "nothing of the root can be written unless it is listed",
      needs: ["root", "writable.paths"],
      tools: ["mv", "chmod"],
      async run({ sh }) {
        const paths = ["/new", "/data/new", "/data/file", "/etc/motd", "/bin/sh"];
        assert.equal(succeeded(await sh([CREATE, ...paths])).out, "");
        const others =
          "mkdir /data/d || rm /data/file || rm -r /data || mv /data/file /data/f || chmod 777 /data";
        assert.notEqual((await sh(others)).exitCode, 0);
      },
    },
    {
      title: "a listed directory can be written, with what lies below it",
      needs: ["root", "writable.paths"],
      async run({ allow, root, sh }) {
        allow("/data");
        const script =
          "echo new > /data/new; echo more >> /data/deep/file; mkdir /data/d; rm /data/file";
        succeeded(await sh(script, { writable: ["/data"] }));
        assert.equal(readFileSync(join(root, "data/new"), "utf8"), "new\n");
        assert.equal(readFileSync(join(root, "data/deep/file"), "utf8"), "deep\nmore\n");
        assert(existsSync(join(root, "data/d")) && !existsSync(join(root, "data/file")));
      },
    },
    {
      title: "a sibling of a listed path cannot be written, though its name begins alike",
      needs: ["root", "writable.paths"],
      async run({ allow, sh }) {
        allow("/data/new");
        const paths = ["/data/new", "/database/new", "/database/file", "/new"];
        assert.equal(
          succeeded(await sh([CREATE, ...paths], { writable: ["/data"] })).out,
          "/data/new\n",
        );
      },
    },
    {
      title: "a listed file can be written, and nothing beside it",
      needs: ["root", "writable.paths"],
      async run({ allow, root, sh }) {
        allow("/data/file");
        const paths = ["/data/file", "/data/new", "/data/deep/file"];
        const config = { writable: ["/data/file"] };
        assert.equal(succeeded(await sh([CREATE, ...paths], config)).out, "/data/file\n");
        assert.equal(readFileSync(join(root, "data/file"), "utf8"), "new\n");
      },
    },
    {
      title: "several listed paths can be written, one within the other",
      needs: ["root", "writable.paths"],
      async run({ allow, sh }) {
        const paths = ["/data/deep/new", "/data/new", "/work/a b/new"];
        for (const path of paths) allow(path);
        const config = { writable: ["/data/deep", "/data", "/work/a b"] };
        assert.equal(
          succeeded(await sh([CREATE, ...paths, "/work/new"], config)).out,
          `${paths.join("\n")}\n`,
        );
      },
    },
    {
      title: 'with "all" the whole root can be written',
      needs: ["root"],
      async run({ allow, root, sh }) {
        const paths = ["/new", "/data/new", "/data/file"];
        for (const path of paths) allow(path);
        const config = { writable: "all" } as const;
        assert.equal(succeeded(await sh([CREATE, ...paths], config)).out, `${paths.join("\n")}\n`);
        assert.equal(readFileSync(join(root, "new"), "utf8"), "new\n");
      },
    },
    {
      title: "the host's own root is read-only but for the listed paths",
      needs: ["writable.paths"],
      proves: ["writable.paths"],
      async run({ scratch, sh }) {
        for (const name of ["open", "opening"]) mkdirSync(join(scratch, name));
        const paths = [`${scratch}/open/new`, `${scratch}/opening/new`, `${scratch}/new`];
        const config = { root: "/", mounts: [], writable: [`${scratch}/open`] };
        assert.equal(succeeded(await sh([CREATE, ...paths], config)).out, `${scratch}/open/new\n`);
      },
    },
    {
      title: "a file system that is mounted below the root is read-only as well",
      needs: ["writable.paths"],
      skip: noSubmount,
      async run({ marker, sh }) {
        const script = CREATE.replace("exit 0", 'rm -f "$1"');
        await withSubmount(marker, async (directory) => {
          const path = `${directory}/file`;
          const write = async (writable: "all" | []): Promise<string> =>
            succeeded(await sh([script, path], { root: "/", mounts: [], writable })).out;
          assert.deepEqual([await write("all"), await write([])], [`${path}\n`, ""]);
        });
      },
    },
  ],
};
