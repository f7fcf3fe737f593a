import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Topic } from "../case.js";
import { refused, succeeded } from "../check.js";

export const lookup: Topic = {
  title: "looking commands up",
  isAlone: true,
  isBare: true,
  cases: [
    {
      title: "a command with a slash is looked up from cwd",
      needs: ["root"],
      async run({ put, run }) {
        put("/work/here/tool", "#!/bin/sh\necho here\n");
        put("/bin/here/tool", "#!/bin/sh\necho elsewhere\n");
        assert.equal(succeeded(await run(["./tool"], { cwd: "/work/here" })).out, "here\n");
        assert.equal(succeeded(await run(["here/tool"], { cwd: "/work" })).out, "here\n");
        await refused(run(["./tool"], { cwd: "/" }), "COMMAND_NOT_FOUND");
      },
    },
    {
      title: "a command without a slash is looked up in the PATH inside, in its order",
      needs: ["root"],
      async run({ put, run }) {
        put("/opt/second/tool", "#!/bin/sh\necho second\n");
        put("/opt/first/other", "#!/bin/sh\necho first\n");
        const env = { PATH: "/opt/first:/opt/second" };
        assert.equal(succeeded(await run(["tool"], { env })).out, "second\n");
        put("/opt/first/tool", "#!/bin/sh\necho first\n");
        assert.equal(succeeded(await run(["tool"], { env })).out, "first\n");
        await refused(run(["sh", "-c", ":"], { env }), "COMMAND_NOT_FOUND");
      },
    },
    {
      title: "the PATH of the caller finds nothing",
      needs: ["root"],
      async run({ run, scratch }) {
        const directory = join(scratch, "bin");
        mkdirSync(directory);
        writeFileSync(join(directory, "only-on-the-host"), "#!/bin/sh\necho host\n");
        chmodSync(join(directory, "only-on-the-host"), 0o755);
        const before = process.env["PATH"];
        process.env["PATH"] = `${directory}:${before}`;
        try {
          await refused(run(["only-on-the-host"]), "COMMAND_NOT_FOUND");
        } finally {
          process.env["PATH"] = before;
        }
      },
    },
  ],
};
