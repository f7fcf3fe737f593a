import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";

/** Everything that a minimal /dev may have; there must be nothing of the host's hardware. */
const MINIMAL = new Set(
  "console core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero".split(
    " ",
  ),
);

export const dev: Topic = {
  title: "dev",
  cases: [
    {
      title: "null swallows, zero and full give zeroes, and full takes nothing",
      needs: ["root", "mount.dev"],
      proves: ["mount.dev"],
      async run({ sh }) {
        const script =
          "echo x > /dev/null && cat /dev/null && head -c 3 /dev/zero && head -c 2 /dev/full && " +
          "! (echo x > /dev/full) 2>&-";
        assert.equal(succeeded(await sh(script)).out, "\0".repeat(5));
      },
    },
    {
      title: "random and urandom give random bytes",
      needs: ["root", "mount.dev"],
      async run({ run }) {
        for (const device of ["/dev/random", "/dev/urandom"]) {
          const command = ["head", "-c", "32", device];
          const [one, two] = [succeeded(await run(command)), succeeded(await run(command))];
          assert.equal(one.stdout?.length, 32);
          assert.notDeepEqual(one.stdout, two.stdout);
        }
      },
    },
    {
      title: "mounts can lie in its shm, where their mount points are made",
      needs: ["root", "mount.dev", "mount.tmpfs", "mount.bind.readOnly", "mount.create"],
      async run({ scratch, sh }) {
        writeFileSync(join(scratch, "word"), "hello\n");
        const mounts = [
          { type: "dev", target: "/dev" },
          { type: "tmpfs", target: "/dev/shm/a/b" },
          { type: "bind", source: scratch, target: "/dev/shm/c", readOnly: true },
        ] as const;
        const script = "echo x >/dev/shm/a/b/x && cat /dev/shm/c/word && echo y >/dev/shm/y";
        assert.equal(succeeded(await sh(script, { mounts })).out, "hello\n");
      },
    },
    {
      title: "the links to the standard streams work",
      needs: ["root", "mount.dev", "mount.proc"],
      async run({ scratch, sh }) {
        const [input, output] = [join(scratch, "input"), join(scratch, "output")];
        writeFileSync(input, "in\n");
        // Files, because a socket, which is what Node makes of a pipe, cannot be opened by a path.
        const options = {
          stdin: { file: input },
          stdout: { file: output },
          stderr: "stdout",
        } as const;
        const links =
          "readlink /dev/fd; readlink /dev/stdin; readlink /dev/stdout; readlink /dev/stderr";
        succeeded(
          await sh(`cat /dev/stdin; ${links}; [ -c /dev/tty ] && ls /dev/fd/1`, {}, options),
        );
        const numbers = [0, 1, 2].map((fd) => `/proc/self/fd/${fd}\n`).join("");
        const expected = `in\n/proc/self/fd\n${numbers}/dev/fd/1\n`;
        assert.equal(
          readFileSync(output, "utf8").replaceAll(/^fd\//gm, "/proc/self/fd/"),
          expected,
        );
      },
    },
    {
      title: "there is no device of the host's hardware",
      needs: ["root", "mount.dev"],
      async run({ sh }) {
        const { out } = succeeded(
          await sh("ls -A /dev; for d in /dev/*; do [ -b $d ] && echo block; done; :"),
        );
        const more = out
          .trim()
          .split("\n")
          .filter((name) => !MINIMAL.has(name));
        assert.deepEqual(more, []);
      },
    },
    {
      title: "dev is mounted at its target",
      needs: ["root", "mount.dev"],
      async run({ sh }) {
        const mounts = [{ type: "dev", target: "/mnt/other" }] as const;
        assert.equal(succeeded(await sh("head -c 2 /mnt/other/zero", { mounts })).out, "\0\0");
      },
    },
  ],
};
