import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWith } from "./support/backend.js";
import { BIN, runSandbox } from "./support/cli.js";
import { scratch } from "./support/scratch.js";
import { testUnless } from "./support/test-unless.js";
import { lackOf } from "./support/tool.js";

const QUIET = ["--quiet", "--backend", "namespaces", "--cwd", "/"];

function shell(options: readonly string[], script: string) {
  return runSandbox([...QUIET, ...options, "--", "sh", "-c", script]);
}

const JAVA = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java";
const noJava = existsSync(JAVA) ? undefined : "openjdk-17-jre-headless is not installed";

for (const backend of ["namespaces", "bubblewrap", "oci"]) {
  await describeWith(backend, "what docs/programs.md says on every backend of", () => {
    const shellOf = (options: readonly string[], script: string) =>
      runSandbox([
        "--quiet",
        "--backend",
        backend,
        "--cwd",
        "/",
        ...options,
        "--",
        "sh",
        "-c",
        script,
      ]);

    test("HOME: there is none", async () => {
      expect(await shellOf([], 'echo "[${HOME-unset}]"')).toMatchObject({ stdout: "[unset]\n" });
    });

    testUnless(
      lackOf("/usr/bin/git"),
      "git: it commits with a HOME of the sandbox's own",
      async () => {
        const script = `git config --global user.name Me && git config --global user.email me@example.org &&
        git init -q /tmp/r && cd /tmp/r && git commit -q --allow-empty -m first && git log --format=%an`;
        expect(await shellOf(["--env", "HOME=/tmp"], script)).toMatchObject({
          exitCode: 0,
          stdout: "Me\n",
        });
      },
    );

    testUnless(lackOf("/usr/bin/getent"), "the own host name: localhost resolves", async () => {
      const { exitCode, stdout } = await shellOf(
        ["--hostname", "localhost"],
        'getent hosts "$(uname -n)"',
      );
      expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/\slocalhost\b/)]);
    });
  });
}

await describeWith("namespaces", "what docs/programs.md says of", () => {
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

  testUnless(
    lackOf("/usr/bin/ssh"),
    "ssh: it takes a configuration of nobody with -F",
    async () => {
      const home = scratch();
      mkdirSync(join(home, ".ssh"));
      writeFileSync(join(home, ".ssh/config"), "Host *\nPort 1234\n");
      chmodSync(join(home, ".ssh/config"), 0o666);
      const [uid, own] = [process.getuid?.() ?? 0, "/tmp/own"];
      const passwd = join(home, "passwd");
      writeFileSync(passwd, `me:x:${uid}:${uid}::${own}:/bin/sh\n`);
      const binds = ["--bind", `${home}:${own}:ro`, "--bind", `${passwd}:/etc/passwd:ro`];
      const options = [...binds, "--uid", `${uid}`];
      expect((await shell(options, "ssh -G host")).stderr).toContain("Bad owner or permissions");
      const named = await shell(options, `ssh -F ${own}/.ssh/config -G host | grep '^port'`);
      expect(named.stdout).toBe("port 1234\n");
      const unknown = await shell(["--uid", "54321"], "ssh -G host");
      if (uid === 0) expect(unknown.stderr).toContain("No user exists for uid 54321");
    },
  );

  test("memory: Node takes as much as it is told", async () => {
    const script = "console.log(require('v8').getHeapStatistics().heap_size_limit < 2 ** 28)";
    const node = [process.execPath, "--max-old-space-size=192", "-e", script];
    expect(await runSandbox([...QUIET, "--", ...node])).toMatchObject({ stdout: "true\n" });
  });

  test("signals to a background job: setsid keeps the program from them", async () => {
    const directory = scratch();
    const script = `trap : INT HUP
      setsid "$1" "$2" --cwd / --writable "$3" -- sh -c 'echo up > "$0/up"; sleep 1; echo end > "$0/end"' "$3" &
      until [ -e "$3/up" ]; do sleep 0.05; done
      kill -INT 0; kill -HUP 0; until [ -e "$3/end" ]; do sleep 0.05; done`;
    const argv = ["-c", script, "sh", process.execPath, BIN["run-sandbox"], directory];
    const { status } = spawnSync("/usr/bin/setsid", ["--wait", "bash", ...argv], {
      timeout: 20_000,
    });
    expect([status, readdirSync(directory).sort()]).toEqual([0, ["end", "up"]]);
  });

  test("terminals: the program has a session of its own, which no terminal ends", async () => {
    const { stdout } = await shell([], "cut -d' ' -f6 /proc/$$/stat; echo $$");
    const [session, pid] = stdout.trim().split("\n");
    expect(session).toBe(pid);
  });
});
