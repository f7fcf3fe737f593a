import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";
import type { Context } from "../context.js";

const ODD = [
  "a b",
  "-dash",
  "--bind",
  "it's",
  'say "x"',
  "a:b",
  "a,b=c",
  "back\\slash",
  "new\nline",
  "$HOME",
  "%s",
  "ünï✓",
  "#1",
];

export const manyBinds: Topic = {
  title: "many binds",
  cases: [
    {
      title: "names are taken as they are, whatever characters they hold",
      needs: ["root", "mount.bind"],
      async run(context) {
        await bindOdd(context, ODD);
      },
    },
    {
      title: "two hundred binds work",
      needs: ["root", "mount.bind"],
      async run(context) {
        await bindOdd(
          context,
          Array.from({ length: 200 }, (_, index) => `n${index}`),
        );
      },
    },
  ],
};

/** Binds a directory of each name to a directory of the same name, and reads the file in it. */
async function bindOdd({ put, scratch, sh }: Context, names: readonly string[]): Promise<void> {
  const mounts = names.map((name, index) => {
    const source = join(scratch, name);
    mkdirSync(source);
    writeFileSync(join(source, "file"), `${index}\n`);
    put(`/work/odd/${name}/mount-point`, "");
    return { type: "bind", source, target: `/work/odd/${name}` } as const;
  });
  const script = 'cd /work/odd; for n in "$@"; do read -r text < "./$n/file" && echo "$text"; done';
  const { out } = succeeded(await sh([script, ...names], { mounts }));
  assert.deepEqual(out, names.map((_, index) => `${index}\n`).join(""));
}
