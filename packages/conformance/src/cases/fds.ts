import assert from "node:assert/strict";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";
import { elsewhere } from "../elsewhere.js";

/** The shell lists its own fds; the one by which it reads the directory is closed again when they are looked at. */
const LIST = 'for fd in /proc/self/fd/*; do [ -L "$fd" ] && echo "${fd##*/}"; done; :';

export const fds: Topic = {
  title: "fds",
  cases: [
    {
      title: "the program has the fds 0, 1 and 2 and no other",
      needs: ["mount.proc"],
      async run({ sh }) {
        assert.equal(succeeded(await sh(LIST)).out, "0\n1\n2\n");
      },
    },
    {
      title: "a directory that the caller was started with on an fd is not handed on",
      needs: ["mount.proc"],
      async run(context) {
        writeFileSync(join(context.scratch, "secret"), "host\n");
        const fd = openSync(context.scratch, "r");
        const slots = Array.from({ length: 22 }, (_, index) =>
          index < 2 || index === 17 ? fd : "ignore",
        );
        const stdio = ["ignore", "pipe", "inherit", ...slots] as const;
        try {
          const caller = await elsewhere(context, LIST, {}, [...stdio]);
          assert(caller.stdout !== null);
          assert.equal(await text(caller.stdout), "0\n1\n2\n");
        } finally {
          closeSync(fd);
        }
      },
    },
  ],
};
