import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { addBusybox, noBusybox } from "@sandboxlib/test-support";
import { expect, onTestFinished } from "vitest";
import { COMMANDS, commandNames } from "../src/commands.js";
import { describeWith } from "./support/backend.js";
import { BIN } from "./support/cli.js";
import { testUnless } from "./support/test-unless.js";
import { lackOf } from "./support/tool.js";

const EXAMPLES = commandNames().flatMap((name) =>
  (COMMANDS[name].examples ?? []).map(([line]) => line),
);

/** What the examples name, in a directory that no sandbox covers by default, and the two commands on the PATH. */
function workplace(): { readonly directory: string; readonly env: NodeJS.ProcessEnv } {
  const directory = mkdtempSync("/var/tmp/sandboxlib-examples-");
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const root = join(directory, "root");
  for (const name of ["proc", "dev", "tmp", "build", "bin"])
    mkdirSync(join(root, name), { recursive: true });
  addBusybox(root);
  writeFileSync(join(root, "bin/make"), "#!/bin/busybox sh\necho made with $1 in $PWD\n");
  writeFileSync(join(directory, "solve"), "#!/bin/sh\necho 42\n");
  for (const file of ["root/bin/make", "solve"]) chmodSync(join(directory, file), 0o755);
  writeFileSync(join(directory, "c.json"), JSON.stringify({ cwd: "/", command: ["env"] }));
  execFileSync("tar", ["-C", root, "-cf", join(directory, "image.tar"), "."]);
  const bin = join(directory, "bin");
  mkdirSync(bin);
  for (const [name, path] of Object.entries(BIN)) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec "${process.execPath}" "${path}" "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const env = { PATH: `${bin}:${process.env["PATH"]}`, XDG_CACHE_HOME: join(directory, "cache") };
  return { directory, env: { ...env, HOME: directory, TERM: "dumb", LC_ALL: "C.UTF-8" } };
}

/** The processes of this user that have a text in their environment. */
function pidsWithEnv(text: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "latin1").includes(text);
    } catch {
      return false; // It belongs to another user, or has ended.
    }
  });
}

await describeWith("namespaces", "the examples of the help", () => {
  testUnless(noBusybox ?? lackOf("/usr/bin/man"), "run as they are", () => {
    const { directory, env } = workplace();
    const shown = (line: string): readonly [string, number | null, string] => {
      // Those for other shells are tested with these shells.
      const shell = line.includes("zsh") ? "/bin/true" : "/bin/bash";
      const { status, stdout, stderr } = spawnSync(shell, ["--norc", "-c", line], {
        cwd: directory,
        env,
        encoding: "utf8",
        input: "echo in $PWD; exit 3\n",
      });
      return [line, status, `${stderr}${stdout}`.slice(0, 200)];
    };
    const runnable = EXAMPLES.filter((line) => !line.includes("fish"));
    const ended = runnable.map(shown);
    expect(ended.filter(([line, status]) => status !== (line.includes("--tty") ? 3 : 0))).toEqual(
      [],
    );
    // What an example starts, it stops.
    expect(pidsWithEnv(`XDG_CACHE_HOME=${directory}`)).toEqual([]);
    expect(readFileSync(join(directory, "verdict"), "utf8")).toMatch(/^exitcode:0\n/);
  });
});
