import assert from "node:assert/strict";
import type { Topic } from "../case.js";
import { nextText, succeeded } from "../check.js";
import { readable } from "../opened.js";

export const sharing: Topic = {
  title: "many runs",
  cases: [
    {
      title: "two sandboxes with different configs run side by side",
      needs: ["root", "cwd"],
      async run({ spawn }) {
        const script = 'echo ready; read -r go; echo "$NAME $(pwd -P)"';
        const one = await spawn(script, { env: { PATH: "/bin", NAME: "one" }, cwd: "/data" });
        const two = await spawn(script, { env: { PATH: "/bin", NAME: "two" }, cwd: "/work" });
        for (const child of [one, two]) assert.equal(await nextText(child.stdout), "ready\n");
        const texts = Promise.all([nextText(one.stdout), nextText(two.stdout)]);
        for (const child of [two, one]) child.stdin?.end("go\n");
        assert.deepEqual(await texts, ["one /data\n", "two /work\n"]);
      },
    },
    {
      title: "two sandboxes side by side may each write where the other may not",
      needs: ["root", "writable.paths"],
      async run({ allow, sh }) {
        allow("/data/new");
        allow("/work/new");
        const script = "for d in data work; do (echo x > /$d/new) 2>&- && echo $d; done; exit 0";
        const runs = await Promise.all(
          ["/data", "/work"].map((path) => sh(script, { writable: [path] })),
        );
        assert.deepEqual(
          runs.map((ran) => succeeded(ran).out),
          ["data\n", "work\n"],
        );
      },
    },
    {
      title: "a sandbox runs many commands, one after another and at once",
      async run({ sandbox }) {
        const made = await sandbox();
        const numbered = async (index: number): Promise<[string, number | undefined]> => {
          const ran = readable(
            await made.run(["sh", "-c", "echo $1; exit $1", "sh", String(index)]),
          );
          return [ran.out, ran.exitCode];
        };
        const expected = (index: number): [string, number] => [`${index}\n`, index];
        for (let index = 0; index < 5; index += 1)
          assert.deepEqual(await numbered(index), expected(index));
        const at = Array.from({ length: 10 }, (_, index) => index);
        assert.deepEqual(await Promise.all(at.map(numbered)), at.map(expected));
      },
    },
    {
      title: "a run that failed leaves the sandbox as good as before",
      async run({ sandbox }) {
        const made = await sandbox();
        await assert.rejects(made.run(["no-such-program"]));
        assert.equal((await made.run(["sh", "-c", "kill -KILL $$"])).exitCode === 0, false);
        assert.equal((await made.run(["sh", "-c", "exit 3"])).exitCode, 3);
      },
    },
  ],
};
