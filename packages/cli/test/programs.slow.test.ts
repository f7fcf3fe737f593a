import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { describeWith } from "./support/backend.js";
import { runSandbox } from "./support/cli.js";
import { testUnless } from "./support/test-unless.js";
import { lackOf } from "./support/tool.js";

const QUIET = ["--quiet", "--backend", "namespaces", "--cwd", "/"];

function shell(options: readonly string[], script: string) {
  return runSandbox([...QUIET, ...options, "--", "sh", "-c", script]);
}

const JAVA = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java";
const noJava = existsSync(JAVA) ? undefined : "openjdk-17-jre-headless is not installed";

await describeWith("namespaces", "what docs/programs.md says of", () => {
  testUnless(
    lackOf("/usr/bin/git"),
    "git: it commits with a HOME of the sandbox's own",
    async () => {
      const script = `git config --global user.name Me && git config --global user.email me@example.org &&
      git init -q /tmp/r && cd /tmp/r && git commit -q --allow-empty -m first && git log --format=%an`;
      expect(await shell(["--env", "HOME=/tmp"], script)).toMatchObject({
        exitCode: 0,
        stdout: "Me\n",
      });
    },
  );

  testUnless(lackOf("/usr/bin/getent"), "the own host name: localhost resolves", async () => {
    const { exitCode, stdout } = await shell(
      ["--hostname", "localhost"],
      'getent hosts "$(uname -n)"',
    );
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/\slocalhost\b/)]);
  });

  test("owners: one user id has a name of its own where it is asked for", async () => {
    expect((await shell(["--uid", "0"], "id -u; id -un")).stdout).toBe("0\nroot\n");
  });

  testUnless(noJava, "Java 17: it knows its memory where cgroup is not isolated", async () => {
    const isolate = ["--isolate", "mount,pid,ipc,uts,user"];
    const { exitCode, stdout, stderr } = await runSandbox([
      ...QUIET,
      ...isolate,
      "--",
      JAVA,
      "-XshowSettings:system",
      "-version",
    ]);
    expect([exitCode, stdout + stderr]).toEqual([
      0,
      expect.stringContaining("Operating System Metrics"),
    ]);
    expect(stdout + stderr).not.toContain("NullPointerException");
  });

  test("terminals: the program has a session of its own, which no terminal ends", async () => {
    const { stdout } = await shell([], "cut -d' ' -f6 /proc/$$/stat; echo $$");
    const [session, pid] = stdout.trim().split("\n");
    expect(session).toBe(pid);
  });
});
