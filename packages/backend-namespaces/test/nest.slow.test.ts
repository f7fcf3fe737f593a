import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConfigInput, run } from "@sandboxlib/core";
import { expect, test } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

const repository = join(import.meta.dirname, "../../..");
const kit = "packages/backend-namespaces/test/conformance.test.ts";
const title = note;

/** In no passwd file. */
const NOBODY = { uid: 61_234, gid: 61_234 };

/** What vitest's JSON reporter writes, as far as it matters here. */
interface Results {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

// A sandbox that isolates no users and forbids no calls is one in which sandboxes can be made, as in a container that
// allows it. A root caller's program is another user there: root without capabilities may map no ids, since Linux 5.12.
test.skipIf(skip)(
  `the kit passes inside a sandbox of this backend${title}`,
  { timeout: 300_000 },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "sandboxlib-nest-"));
    try {
      const report = join(directory, "tmp/report.json");
      const { outcome, exitCode, stdout } = await run(nest(directory, report), {
        backend: namespaces,
        stderr: "stdout",
      });
      const said = Buffer.from(stdout ?? []).toString();
      expect({ outcome, exitCode, failures: failuresIn(report) }, said).toEqual({
        outcome: "exited",
        exitCode: 0,
        failures: [],
      });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

/** The checkout and Node may lie where only root can enter, so they are bound to where everybody can. */
function nest(directory: string, report: string): ConfigInput {
  const at = (name: string): string => join(directory, name);
  for (const name of ["tmp", "checkout"]) mkdirSync(at(name));
  writeFileSync(at("node"), "");
  chmodSync(directory, 0o755);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(at("tmp"), NOBODY.uid, NOBODY.gid);
  const bind = { type: "bind", readOnly: true } as const;
  const vitest = at("checkout/node_modules/vitest/vitest.mjs");
  const reporters = ["--reporter=json", `--outputFile=${report}`];
  return {
    command: [at("node"), vitest, "run", kit, ...reporters],
    cwd: at("checkout"),
    writable: [at("tmp")],
    seccomp: "none",
    mounts: [
      { type: "proc", target: "/proc" },
      { type: "dev", target: "/dev" },
      { ...bind, source: repository, target: at("checkout") },
      { ...bind, source: process.execPath, target: at("node") },
      // Vitest writes here, and may not where the checkout is another user's.
      { type: "tmpfs", target: at("checkout/node_modules/.vite-temp") },
    ],
    isolate: ["mount", "pid", "ipc", "uts", "cgroup"],
    ...(isRoot && { user: NOBODY }),
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      TMPDIR: at("tmp"),
      SANDBOXLIB_REQUIRE: "namespaces",
    },
  };
}

function failuresIn(report: string): string[] {
  if (!existsSync(report)) return ["there is no report"];
  const { numPassedTests, testResults } = JSON.parse(readFileSync(report, "utf8")) as Results;
  if (numPassedTests < 150) return [`only ${numPassedTests} tests have passed`];
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === "failed")
    .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages.join("\n")}`);
}
