import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const vitest = join(
  dirname(createRequire(import.meta.url).resolve("vitest/package.json")),
  "vitest.mjs",
);

/**
 * Runs a fixture as a third party would; returns what failed, by title, with the first line of each cause.
 *
 * @param before - A command that becomes the one that is appended to it.
 */
function failuresOf(fixture: string, before: readonly string[] = []): Record<string, string> {
  const run = [
    vitest,
    "run",
    "--config",
    "fixtures/vitest.config.js",
    "--reporter=json",
    "--configLoader=native",
    fixture,
  ];
  const [program = "", ...args] = [...before, process.execPath, ...run];
  const { stdout, stderr } = spawnSync(program, args, {
    cwd: import.meta.dirname,
    env: { PATH: process.env["PATH"] },
    encoding: "utf8",
  });
  const start = stdout.indexOf('{"numTotalTestSuites"');
  if (start < 0) throw new Error(stdout + stderr);
  const { testResults } = JSON.parse(stdout.slice(start)) as { testResults: readonly File[] };
  const failed = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === "failed"),
  );
  return Object.fromEntries(
    failed.map(({ title, failureMessages }) => [
      title,
      (failureMessages[0] ?? "").split("\n")[0]?.replace(/^\w*Error(?: \[\w+\])?: /, "") ?? "",
    ]),
  );
}

interface File {
  readonly assertionResults: readonly {
    readonly title: string;
    readonly status: string;
    readonly failureMessages: readonly string[];
  }[];
}

/** In the words of the kit. */
const LIED = (word: string, file: string): string =>
  `${word} is declared, and does not hold: the program is in the ${file} namespace of the host`;

/**
 * In a mount namespace of its own makes the whole host read-only, but for directories of temporary files. What is tested,
 * whose directory is $0, may lie in one of these.
 */
const READ_ONLY = `
while read -r _ _ _ _ target _; do
  case $target in /proc*|/sys*) ;; *) mount -o remount,bind,ro "$target" 2>&- || : ;; esac
done </proc/self/mountinfo
mount --bind "$0" /mnt && mount -t tmpfs none /tmp && mount -t tmpfs none /dev/shm &&
  mkdir -p "$0" && mount --bind /mnt "$0" && exec "$@"`;

const REPOSITORY = join(import.meta.dirname, "../../..");

it.skipIf(process.getuid?.() !== 0)(
  "the kit writes nowhere on a host but to temporary directories",
  { timeout: 240_000 },
  () => {
    const before = [
      "unshare",
      "--mount",
      "--propagation",
      "private",
      "sh",
      "-c",
      READ_ONLY,
      REPOSITORY,
    ];
    expect(failuresOf("honest", before)).toEqual({});
    // So that it is known to have been read-only.
    const args = [...before.slice(1), "touch", "/usr/new"];
    expect(spawnSync("unshare", args, { encoding: "utf8" }).stderr).toContain("Read-only");
  },
);

describe("a small backend that lies fails for that reason and no other", {
  timeout: 240_000,
}, () => {
  it("one that declares network.none alone, and keeps the network", () => {
    expect(failuresOf("network-lie")).toEqual({
      "network.none gives a net namespace that is not the host's": LIED("network.none", "net"),
    });
  });

  it("one that declares three namespaces, and makes none", () => {
    expect(failuresOf("namespaces-lie")).toEqual({
      "isolate.pid gives a pid namespace that is not the host's": LIED("isolate.pid", "pid"),
      "isolate.ipc gives a ipc namespace that is not the host's": LIED("isolate.ipc", "ipc"),
      "isolate.uts gives a uts namespace that is not the host's": LIED("isolate.uts", "uts"),
    });
  });

  it("one that declares what no case can show", () => {
    expect(failuresOf("unshown-lie")).toEqual({
      "is proved by a case":
        "declared, but no case proves it: mount.create (with what is declared beside it)",
    });
  });

  it("one that refuses a part of what it declares, and does not tell of it", () => {
    const why = expect.stringMatching(
      /BACKEND_INVALID: .* it refuses a part of limit\.cpuTime that `partly` does not tell of$/,
    ) as string;
    expect(failuresOf("untold-part-lie")).toEqual({
      "a program that uses up limits.cpuTime is ended, and the outcome says so": why,
      "a program that ignores SIGXCPU is killed a second later, and the outcome says why": why,
    });
  });

  it("one of which every part is refused", () => {
    expect(failuresOf("no-part-lie")).toEqual({
      "holds at least in a part":
        "declared, but each part that is asked for is refused: limit.cpuTime",
    });
  });

  it("one whose tool leaves a process behind in each run", () => {
    expect(failuresOf("survivors-lie")).toEqual({
      "no process": expect.stringMatching(/^a run leaves processes on the host: \d+ \(sleep 60\)/),
    });
  });

  it("one that never comes to an end", () => {
    expect(failuresOf("hanging-lie")).toEqual({
      "a program runs, its output arrives, and so does its exit status":
        "it has not come to an end for 30 s",
    });
  });

  it("one whose plan is not what the contract has", () => {
    expect(failuresOf("throwing-lie")).toEqual({
      "a program runs, its output arrives, and so does its exit status":
        "BACKEND_INVALID: the backend throwing-lie does not keep the contract: in its plan, argv begins with what is no absolute path",
    });
  });
});
