import assert from "node:assert/strict";
import type { Topic } from "../case.js";
import { refused, succeeded } from "../check.js";

export const cwd: Topic = {
  title: "cwd",
  cases: [
    {
      title: "the program starts in cwd, and PWD says so, at the host's own root",
      needs: ["cwd"],
      proves: ["cwd"],
      async run({ sh }) {
        const config = { root: "/", mounts: [], cwd: "/usr/bin" };
        const { out } = succeeded(await sh('pwd -P; echo "$PWD"', config));
        assert.equal(out, "/usr/bin\n/usr/bin\n");
      },
    },
    {
      title: "the program starts in cwd, and PWD says so",
      needs: ["root", "cwd"],
      async run({ put, sh }) {
        put("/work/-dash/x", "");
        put("/work/'\"$ü\n/x", "");
        for (const path of ["/data/deep", "/work/a b", "/work/-dash", "/work/'\"$ü\n"]) {
          const { out } = succeeded(await sh('pwd -P; echo "$PWD"', { cwd: path }));
          assert.equal(out, `${path}\n${path}\n`);
        }
      },
    },
    {
      title: "cwd is / where nothing is said, whatever the caller's is",
      needs: ["root", "cwd"],
      async run({ sh }) {
        assert.equal(succeeded(await sh("pwd -P", { cwd: undefined })).out, "/\n");
      },
    },
    {
      title: "cwd may lie in a mount",
      needs: ["root", "cwd", "mount.tmpfs"],
      async run({ sh }) {
        const mounts = [{ type: "tmpfs", target: "/mnt/other" }] as const;
        const { out } = succeeded(await sh("pwd -P; ls", { mounts, cwd: "/mnt/other" }));
        assert.equal(out, "/mnt/other\n");
      },
    },
    {
      title: "a cwd that is missing or no directory is PATH_INVALID",
      needs: ["root", "cwd"],
      async run({ sandbox }) {
        for (const path of ["/no/such", "/data/file", "/data/file/below"]) {
          const error = await refused(sandbox({ cwd: path }), "PATH_INVALID");
          assert.equal(error.path, "cwd");
        }
      },
    },
  ],
};
