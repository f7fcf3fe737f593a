import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";

const TWO_LINES = "echo out; echo err >&2";

export const redirection: Topic = {
  title: "redirection",
  isBare: true,
  cases: [
    {
      title: "standard error goes into standard output in the order written",
      async run({ sh }) {
        const script = 'for i in "$@"; do echo out $i; echo err $i >&2; done';
        const numbers = Array.from({ length: 50 }, (_, index) => String(index));
        const ran = succeeded(await sh([script, ...numbers], {}, { stderr: "stdout" }));
        assert.equal(ran.out, numbers.map((i) => `out ${i}\nerr ${i}\n`).join(""));
        assert.equal(ran.stderr, undefined);
      },
    },
    {
      title: "standard input comes from a file and from an fd",
      async run({ run, scratch }) {
        const file = join(scratch, "input");
        writeFileSync(file, "from a file\n");
        const fd = openSync(file, "r");
        try {
          for (const stdin of [{ file }, { fd }])
            assert.equal(succeeded(await run(["cat"], {}, { stdin })).out, "from a file\n");
        } finally {
          closeSync(fd);
        }
      },
    },
    {
      title: "an output goes to a file and to an fd",
      async run({ sh, scratch }) {
        const [one, two] = [join(scratch, "one"), join(scratch, "two")];
        const fd = openSync(two, "w");
        try {
          const options = { stdout: { file: one }, stderr: { fd } };
          const { stdout, stderr } = succeeded(await sh(TWO_LINES, {}, options));
          assert.deepEqual([stdout, stderr], [undefined, undefined]);
        } finally {
          closeSync(fd);
        }
        assert.deepEqual(
          [readFileSync(one, "utf8"), readFileSync(two, "utf8")],
          ["out\n", "err\n"],
        );
      },
    },
    {
      title: "both outputs go into one file in the order written",
      async run({ sh, scratch }) {
        const file = join(scratch, "both");
        const options = { stdout: { file }, stderr: "stdout" } as const;
        succeeded(await sh(`${TWO_LINES}; echo out`, {}, options));
        assert.equal(readFileSync(file, "utf8"), "out\nerr\nout\n");
      },
    },
    {
      title: "an output that is discarded is nowhere, and the other still is",
      async run({ sh }) {
        const { stdout, err } = succeeded(await sh(TWO_LINES, {}, { stdout: "discard" }));
        assert.deepEqual([stdout, err], [undefined, "err\n"]);
      },
    },
  ],
};
