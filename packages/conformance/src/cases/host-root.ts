import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfigInput } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";
import type { Context } from "../context.js";
import { between } from "../host/family.js";
import { environmentOf } from "../host/processes.js";
import { whileInside } from "../inside.js";

/** Writes to each path, and prints those where it worked. */
const CREATE = 'for p in "$@"; do (echo new > "$p") 2>&- && echo "$p"; done; exit 0';
const SIZE = 1024 * 1024;
const LOADER = "LD_LIBRARY_PATH";

/** What has to be shown where there is no root of its own. */
export const hostRoot: Topic = {
  title: "at the host's own root",
  cases: [
    {
      title: "what is hidden cannot be read",
      needs: ["hidden"],
      lacks: ["root"],
      proves: ["hidden"],
      async run(context) {
        const at = filled(context);
        const hidden = [`${at}/d`, `${at}/file`];
        const script = 'cat "$1/file" "$1/d/file" && exit 1; ls "$1/d"; cat "$1/open"';
        const { out } = succeeded(await context.sh([script, at], atHost({ hidden })));
        assert.equal(out, "open\n");
      },
    },
    {
      title: "a directory of the host appears at the target of a bind and can be written",
      needs: ["mount.bind"],
      lacks: ["root"],
      proves: ["mount.bind"],
      async run(context) {
        const at = filled(context);
        const mounts = [{ type: "bind", source: `${at}/d`, target: `${at}/target` }] as const;
        const script = 'cat "$1/target/file" && echo inside > "$1/target/new"';
        assert.equal(succeeded(await context.sh([script, at], atHost({ mounts }))).out, "d\n");
        assert.equal(readFileSync(`${at}/d/new`, "utf8"), "inside\n");
        assert.deepEqual(readdirSync(`${at}/target`), []);
      },
    },
    {
      title: "a read-only bind can be read and not written",
      needs: ["mount.bind.readOnly"],
      lacks: ["root"],
      proves: ["mount.bind.readOnly"],
      async run(context) {
        const at = filled(context);
        const target = `${at}/target`;
        const mounts = [{ type: "bind", source: `${at}/d`, target, readOnly: true }] as const;
        const script = `cat "$1" && shift && ${CREATE}`;
        const words = [script, `${target}/file`, `${target}/file`, `${target}/new`] as const;
        const { out } = succeeded(await context.sh(words, atHost({ mounts, writable: "all" })));
        assert.equal(out, "d\n");
        assert.deepEqual(
          [readdirSync(`${at}/d`), readFileSync(`${at}/d/file`, "utf8")],
          [["file"], "d\n"],
        );
      },
    },
    {
      title: "a tmpfs is empty and can be written, and the host sees nothing of it",
      needs: ["mount.tmpfs"],
      lacks: ["root"],
      proves: ["mount.tmpfs"],
      async run(context) {
        const at = filled(context);
        const mounts = [{ type: "tmpfs", target: `${at}/d` }] as const;
        const script = 'ls -A "$1" && echo new > "$1/new" && cat "$1/new"';
        const { out } = succeeded(await context.sh([script, `${at}/d`], atHost({ mounts })));
        assert.equal(out, "new\n");
        assert.deepEqual(readdirSync(`${at}/d`), ["file"]);
      },
    },
    {
      title: "a tmpfs holds its size and no more",
      needs: ["mount.tmpfs.size"],
      lacks: ["root"],
      proves: ["mount.tmpfs.size"],
      async run(context) {
        const at = filled(context);
        const mounts = [{ type: "tmpfs", target: `${at}/d`, size: SIZE }] as const;
        writeFileSync(`${at}/little`, Buffer.alloc(SIZE / 4));
        writeFileSync(`${at}/much`, Buffer.alloc(SIZE * 4));
        const script =
          'cat "$1/little" > "$1/d/file" || exit 1; cat "$1/much" > "$1/d/file" && exit 2; exit 0';
        succeeded(await context.sh([script, at], atHost({ mounts })));
      },
    },
    {
      title: "a tmpfs of a given size holds a bounded number of empty files",
      needs: ["mount.tmpfs.inodes"],
      lacks: ["root"],
      proves: ["mount.tmpfs.inodes"],
      async run(context) {
        const at = filled(context);
        const mounts = [{ type: "tmpfs", target: `${at}/d`, size: SIZE }] as const;
        const script = 'i=0; while [ $i -lt 5000 ] && true > "$1/$i"; do i=$((i+1)); done; echo $i';
        const { out } = await context.sh([`(${script}) 2>&-`, `${at}/d`], atHost({ mounts }));
        assert(Number(out) >= 128 && Number(out) < 5000, `${out.trim()} files were made`);
      },
    },
    {
      title: "a procfs is mounted at its target",
      needs: ["mount.proc"],
      lacks: ["root"],
      proves: ["mount.proc"],
      async run(context) {
        const at = filled(context);
        const mounts = [{ type: "proc", target: `${at}/target` }] as const;
        const { out } = succeeded(
          await context.sh(['cat "$1/self/comm"', `${at}/target`], atHost({ mounts })),
        );
        assert.match(out, /^\S+\n$/);
      },
    },
    {
      title: "a dev at its target has the devices that every program expects, and no block device",
      needs: ["mount.dev"],
      lacks: ["root"],
      proves: ["mount.dev"],
      async run(context) {
        const at = filled(context);
        const mounts = [{ type: "dev", target: `${at}/target` }] as const;
        const script =
          'cd "$1" && head -c 2 zero && : > null && for d in *; do [ -b "$d" ] && echo "$d"; done; :';
        const { out } = succeeded(await context.sh([script, `${at}/target`], atHost({ mounts })));
        assert.equal(out, "\0\0");
      },
    },
    {
      title: "a variable of the dynamic linker reaches the program, and no tool that starts it",
      needs: ["env.loader"],
      lacks: ["root"],
      proves: ["env.loader"],
      async run(context) {
        const value = `/no/${context.marker}`;
        const config = atHost({ env: { PATH: "/usr/bin:/bin", [LOADER]: value } });
        await whileInside(context, `echo "$${LOADER}"`, config, (out, pid) => {
          assert.equal(out, `${value}\n`);
          const tools = pid === undefined ? [] : between(pid);
          for (const tool of tools)
            assert(!environmentOf(tool.pid).includes(value), `the tool ${tool.pid} has it`);
        });
        const { plan } = await context.sandbox(config);
        const env = plan.kind === "engine" ? {} : plan.env;
        assert(!Object.keys(env).includes(LOADER), "it is in the environment of the plan's tool");
      },
    },
    {
      title: "the program has the given uid and gid, and the shell says so",
      needs: ["user"],
      lacks: ["root"],
      proves: ["user"],
      async run({ sh }) {
        const config = atHost({ user: { uid: 12345, gid: 23456 }, cwd: "/" });
        assert.equal(succeeded(await sh("id -u; id -g", config)).out, "12345\n23456\n");
      },
    },
    {
      title: "with a range there are so many ids",
      needs: ["user.range"],
      proves: ["user.range"],
      async run(context) {
        const config = atHost({ user: { uid: 0, gid: 0, range: 3 }, cwd: "/" });
        await whileInside(context, "cat /proc/self/uid_map 2>&-", config, (out, pid) => {
          const map = pid === undefined ? out : readFileSync(`/proc/${pid}/uid_map`, "utf8");
          const lengths = [...map.matchAll(/(\d+)$/gm)].map(([, length]) => Number(length));
          assert.equal(
            lengths.reduce((sum, length) => sum + length, 0),
            3,
            `uid_map: ${map}`,
          );
        });
      },
    },
  ],
};

/** No mounts but those of the case, which would cover its directories. */
function atHost(config: ConfigInput): ConfigInput {
  return { root: "/", mounts: [], network: "host", ...config };
}

/** The case's own directory of the host, with a few files and an empty directory. */
function filled({ scratch }: Context): string {
  for (const name of ["d", "target"]) mkdirSync(join(scratch, name));
  for (const name of ["file", "d/file", "open"])
    writeFileSync(join(scratch, name), `${name.split("/")[0]}\n`);
  return scratch;
}
