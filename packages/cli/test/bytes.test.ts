import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWith } from "./support/backend.js";
import { BIN } from "./support/cli.js";
import { scratch } from "./support/scratch.js";

/** Runs a command line whose `$B` is not UTF-8, which Node itself can give to no process. */
function withBytes(line: string): SpawnSyncReturns<Buffer> {
  const script = `B=$(printf 'caf\\351'); exec "$0" "$1" ${line}`;
  const { PATH = "" } = process.env;
  return spawnSync("sh", ["-c", script, process.execPath, BIN["run-sandbox"]], {
    cwd: "/",
    env: { PATH },
  });
}

await describeWith("namespaces", "a word that is not UTF-8", () => {
  test("reaches the program as it is", () => {
    const { stdout, stderr } = withBytes('--backend namespaces -- printf "%s-%s" "$B" é�');
    expect([stdout, String(stderr)]).toEqual([
      Buffer.from("caf\xe9-\xc3\xa9\xef\xbf\xbd", "latin1"),
      "",
    ]);
  });
});

test.each([
  ['--hide "$B" -- true', '--hide: "caf\ufffd" is not UTF-8'],
  ['--hide="$B" -- true', '--hide: "caf\ufffd" is not UTF-8'],
  ['"$B" true', 'ROOT: "caf\ufffd" is not UTF-8'],
  ['--dry-run -- "$B"', "COMMAND: a word is not UTF-8, and can only be run"],
])("is refused by name in: %s", (line, message) => {
  const { status, stderr } = withBytes(line);
  expect([status, String(stderr).split("\n")[0]]).toEqual([2, `sandboxlib: ${message}`]);
});

await describeWith("bubblewrap", "a word that a tool cannot be given", () => {
  test("is refused by name", () => {
    const { status, stderr } = withBytes('--backend bubblewrap -- printf %s "$B"');
    expect(status).toBe(2);
    expect(String(stderr)).toContain("command[2]: is not UTF-8");
  });
});

await describeWith("bubblewrap", "a file that is a stream of the command line", () => {
  test("keeps its mode and what it had", () => {
    const [input, output] = ["in", "out"].map((name) => join(scratch(), name));
    for (const path of [input ?? "", output ?? ""]) writeFileSync(path, "line\n", { mode: 0o600 });
    const stdio = [openSync(input ?? "", "r"), openSync(output ?? "", "a"), "pipe"] as const;
    const script =
      "chmod 6755 /proc/self/fd/0 /proc/self/fd/1; : >/proc/self/fd/1; cat /proc/self/fd/0; cat";
    const argv = [BIN["run-sandbox"], "--backend", "bubblewrap", "--", "sh", "-c", script];
    const { status } = spawnSync(process.execPath, argv, { cwd: "/", stdio: [...stdio] });
    for (const fd of stdio) if (typeof fd === "number") closeSync(fd);
    expect(status).toBe(0);
    expect(readFileSync(output ?? "", "utf8")).toBe("line\nline\n");
    for (const path of [input ?? "", output ?? ""])
      expect((statSync(path).mode & 0o7777).toString(8)).toBe("600");
  });
});
