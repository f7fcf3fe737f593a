import assert from "node:assert/strict";
import { chmodSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";
import type { Context } from "../context.js";

const needs = ["root", "mount.create", "mount.tmpfs", "writable.paths"] as const;

/** In a directory of odd things, says of each what it is; `new` is what is made there. */
const DESCRIBE = `cd /work/odd; for f in * .[!.]*; do
  [ "$f" = new ] && continue
  printf '%s: ' "$f"
  if [ -L "$f" ]; then readlink "./$f"; else ls -ldn "./$f"; fi
  if [ -f "$f" ]; then cat "./$f"; elif [ -d "$f" ]; then ls -A "./$f"; fi
done`;

const NAMES = [
  "a b",
  "-dash",
  "it's",
  'say "x"',
  "new\nline",
  "back\\slash",
  "$HOME",
  "ünï✓",
  ".hidden",
  "*",
];

/** Writes to each path, and prints those where it worked. */
const CREATE = 'for p in "$@"; do (echo new > "$p") 2>&- && echo "$p"; done; exit 0';

export const mirrors: Topic = {
  title: "beside a mount point that is made",
  cases: [
    {
      title: "everything is as it was: content, type, mode, owner and symlinks",
      needs: [...needs],
      async run(context) {
        fillOdd(context);
        const mounts = [{ type: "tmpfs", target: "/work/odd/new" }] as const;
        const [without, beside] = [
          succeeded(await context.sh(DESCRIBE, { mounts: [] })).out,
          succeeded(await context.sh(DESCRIBE, { mounts })).out,
        ];
        assert.equal(beside, without);
        for (const name of NAMES) assert(beside.includes(`${name}: `), name);
      },
    },
    {
      title: "a thousand entries are all there",
      needs: [...needs],
      async run({ put, sh }) {
        const names = Array.from({ length: 1000 }, (_, index) => `entry-${index}`);
        for (const name of names) put(`/work/many/${name}`, name);
        const mounts = [{ type: "tmpfs", target: "/work/many/new" }] as const;
        const script = "ls -A /work/many | cat; cat /work/many/entry-999";
        const { out } = succeeded(await sh(script, { mounts }));
        assert.equal(out, [...[...names, "new"].sort(), "entry-999"].join("\n"));
      },
    },
    {
      title: "nothing can be written, removed or renamed, nor in the directories that were made",
      needs: [...needs],
      tools: ["mv", "chmod"],
      async run({ root, sh }) {
        const mounts = [{ type: "tmpfs", target: "/data/a/b" }] as const;
        const paths = ["/data/x", "/data/file", "/data/deep/x", "/data/a/x", "/data/a/b/x"];
        const { out } = succeeded(await sh([CREATE, ...paths], { mounts }));
        assert.equal(out, "/data/a/b/x\n");
        const others =
          "mkdir /data/d || rm -f /data/file || mv /data/file /data/f || chmod 777 /data/file || " +
          "mkdir /data/a/d || rm -r /data/deep";
        assert.notEqual((await sh(others, { mounts })).exitCode, 0);
        assert.equal(readFileSync(join(root, "data/file"), "utf8"), "data\n");
      },
    },
    {
      title: "a listed path can still be written",
      needs: [...needs],
      async run({ allow, root, sh }) {
        allow("/data/deep/new");
        const config = {
          mounts: [{ type: "tmpfs", target: "/data/new" }],
          writable: ["/data/deep"],
        } as const;
        const paths = ["/data/deep/new", "/data/other"];
        assert.equal(succeeded(await sh([CREATE, ...paths], config)).out, "/data/deep/new\n");
        assert.equal(readFileSync(join(root, "data/deep/new"), "utf8"), "new\n");
      },
    },
    {
      title: "a hidden path is still hidden",
      needs: [...needs, "hidden"],
      async run({ sh }) {
        const config = {
          mounts: [
            { type: "tmpfs", target: "/secret/new" },
            { type: "tmpfs", target: "/new" },
          ],
          hidden: ["/secret/deep", "/secret/key", "/secret.txt"],
        } as const;
        const script = "cat /secret/key /secret.txt; cat /secret/deep/key; ls -A /secret/deep; :";
        assert.equal(succeeded(await sh(script, config)).out, "");
      },
    },
    {
      title: "symlinks of the root lead where they led",
      needs: [...needs],
      async run({ root, sh }) {
        symlinkSync("data/deep", join(root, "relative"));
        symlinkSync("/data/./deep", join(root, "absolute"));
        const mounts = [{ type: "tmpfs", target: "/new" }] as const;
        const script = "cat /relative/file /absolute/file; cd /absolute && pwd -P";
        assert.equal(succeeded(await sh(script, { mounts })).out, "deep\ndeep\n/data/deep\n");
      },
    },
  ],
};

function fillOdd({ put, root }: Context): void {
  for (const [index, name] of NAMES.entries()) put(`/work/odd/${name}`, `${index}\n`, 0o644);
  put("/work/odd/deep/er/file", "deep\n");
  const odd = join(root, "work/odd");
  chmodSync(join(odd, "deep"), 0o751);
  chmodSync(join(odd, "a b"), 0o4755);
  for (const [name, target] of [
    ["link", "a b"],
    ["link-up", "../../data/file"],
    ["link-absolute", "/data/file"],
    ["link-dangling", "/no/such\nplace"],
    ["link-loop", "link-loop"],
    ["link-long", `/data/${"x".repeat(200)}/${"./".repeat(1500)}`],
  ] as const)
    symlinkSync(target, join(odd, name));
  execaSync("/usr/bin/mkfifo", [join(odd, "fifo")], { reject: false });
}
