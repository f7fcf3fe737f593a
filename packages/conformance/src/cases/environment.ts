import assert from "node:assert/strict";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";
import type { Ran } from "../opened.js";

const SECRET = "SANDBOXLIB_KIT_SECRET";
const VALUES = {
  EMPTY: "",
  SPACES: "  a  b  ",
  LINES: "one\ntwo\n",
  EQUALS: "a=b=c",
  OPTION: "--bind",
  UNICODE: "ünïcödé ✓",
  SHELL: "$HOME `id` 'x' \"y\" \\",
  LONG: "x".repeat(50_000),
};

export const environment: Topic = {
  title: "environment",
  isAlone: true,
  cases: [
    {
      title: "the environment is exactly env, and PWD",
      needs: ["root"],
      async run({ run }) {
        const command = ["/bin/env", "-0"];
        await withSecret(async () => {
          for (const env of [{}, { ONE: "1" }, { PATH: "/bin", HOME: "/data", A: "b" }])
            assert.deepEqual(variables(await run(command, { env })), { ...env, PWD: "/" });
        });
      },
    },
    {
      title: "a value arrives as it was given",
      needs: ["root"],
      async run({ run }) {
        const ran = await run(["/bin/env", "-0"], { env: VALUES });
        assert.deepEqual(variables(ran), { ...VALUES, PWD: "/" });
      },
    },
    {
      title: "a name arrives as it was given",
      needs: ["root"],
      async run({ run }) {
        const env = { "a.b": "1", "--setenv": "2", "with space": "3", ünï: "4", lower: "5" };
        assert.deepEqual(variables(await run(["/bin/env", "-0"], { env })), { ...env, PWD: "/" });
      },
    },
    {
      title: "inheritEnv hands on the named variables of the caller and no other",
      needs: ["root"],
      async run({ run }) {
        await withSecret(async () => {
          const inheritEnv = [SECRET, "SANDBOXLIB_KIT_UNSET"];
          const config = { env: { ONE: "1" }, inheritEnv };
          const expected = { ONE: "1", [SECRET]: "secret", PWD: "/" };
          assert.deepEqual(variables(await run(["/bin/env", "-0"], config)), expected);
          const overridden = { env: { [SECRET]: "own" }, inheritEnv };
          const own = variables(await run(["/bin/env", "-0"], overridden));
          assert.deepEqual(own, { [SECRET]: "own", PWD: "/" });
        });
      },
    },
    {
      title: "no process that is seen inside carries a variable of the caller",
      needs: ["mount.proc", "isolate.pid"],
      async run({ sh }) {
        await withSecret(async () => {
          const { out } = succeeded(await sh("cat /proc/[0-9]*/environ 2>&-; echo end"));
          const isSeen = out.includes(SECRET) || !out.endsWith("end\n");
          assert(!isSeen, `a variable of the caller is seen: ${out}`);
        });
      },
    },
    {
      title: "a variable of the dynamic linker reaches the program and no tool on the host",
      needs: ["root", "env.loader"],
      proves: ["env.loader"],
      async run({ kit, run }) {
        const env = { LD_PRELOAD: "/no/such/library.so", LD_LIBRARY_PATH: "/data" };
        const ran = await run(["/bin/env", "-0"], { env });
        assert.deepEqual(variables(ran), { ...env, PWD: "/" });
        // The loader of whoever else carries the variable complains.
        if (kit.recipe.isStatic) assert.equal(ran.err, "");
      },
    },
  ],
};

async function withSecret(run: () => Promise<void>): Promise<void> {
  process.env[SECRET] = "secret";
  try {
    await run();
  } finally {
    delete process.env[SECRET];
  }
}

function variables(ran: Ran): Record<string, string> {
  const entries = succeeded(ran).out.split("\0").slice(0, -1);
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf("=");
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}
