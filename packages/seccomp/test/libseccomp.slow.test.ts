import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ABIS, type AbiName, callsOf } from "../src/abi.js";
import { compileSeccomp, type SeccompProfile, type SeccompRule } from "../src/index.js";
import { interpret } from "./interpreter.js";
import { CALLS, generator, randomProfile, someArguments } from "./policies.js";

const SCRIPT = fileURLToPath(new URL("libseccomp.py", import.meta.url));
const hasLibrary = spawnSync("/usr/bin/python3", ["-c", "import seccomp"]).status === 0;
const docker = hasLibrary ? dockerProfile() : undefined;
/** Calls that could pass the rules on others, and are answered with ENOSYS therefore. */
const WAYS_ROUND = ["clone3", "io_uring_setup", "ipc", "openat2", "socketcall"];

describe("against libseccomp", () => {
  it.skipIf(!hasLibrary)(
    `a thousand random profiles give the same verdict for every call${hasLibrary ? "" : " (python3-seccomp is not installed)"}`,
    { timeout: 300_000 },
    () => {
      const profiles = fc.sample(randomProfile(25, true), { numRuns: 1000, seed: 1 });
      const random = generator(7);
      for (const [index, theirs] of reference(profiles).entries()) {
        const profile = profiles[index];
        if (profile === undefined) throw new Error("there are more answers than questions");
        const ours = compileSeccomp(profile, { arch: "x64" }).filter;
        const ruled = new Set(profile.syscalls.map(({ names }) => names[0]));
        const differ = CALLS.flatMap((call) =>
          Array.from({ length: ruled.has(call.name) ? 40 : 1 }, () => {
            const asked = { ...call, audit: ABIS.x86_64.audit, args: someArguments(call, random) };
            return [
              asked,
              interpret(ours, asked).verdict,
              interpret(theirs, asked).verdict,
            ] as const;
          }),
        ).filter(([{ name }, mine, other]) => mine !== other && !WAYS_ROUND.includes(name));
        expect(differ, `profile ${index}`).toEqual([]);
      }
    },
  );

  it.skipIf(docker === undefined)(
    `Docker's default profile gives the same verdict for every call on three ABIs${docker === undefined ? " (python3-seccomp is not installed, or Debian's source of Docker cannot be downloaded)" : ""}`,
    () => {
      if (docker === undefined) throw new Error("there is no profile");
      const profile = docker;
      const target = { arch: "x64", capabilities: [], kernel: "6.1" };
      const { filter, unknown } = compileSeccomp(profile, target);
      const [theirs = new Uint8Array()] = reference([
        {
          defaultAction: profile.defaultAction,
          syscalls: (profile.syscalls ?? []).filter(applies),
          arches: ["X86", "X32"],
          tolerant: true,
        },
      ]);
      expect(
        unknown.filter((name) => !/^(s390|swapcontext|sync_file_range2|riscv)/.test(name)),
      ).toEqual([]);
      const random = generator(3);
      const differ = (["x86_64", "x32", "i386"] as const).flatMap((abi) =>
        differences(abi, filter, theirs, random),
      );
      expect(differ).toEqual([]);
    },
  );
});

/** From Debian's source of Docker, which nothing else here needs; undefined where it cannot be had. */
function dockerProfile(): SeccompProfile | undefined {
  const directory = mkdtempSync(join(tmpdir(), "seccomp-docker-"));
  try {
    const inside = (argv: readonly [string, ...string[]]): boolean =>
      spawnSync(argv[0], argv.slice(1), { cwd: directory }).status === 0;
    if (!inside(["apt-get", "download", "golang-github-docker-docker-dev"])) return undefined;
    if (!inside(["sh", "-c", "dpkg -x ./*.deb x"])) return undefined;
    const source = "x/usr/share/gocode/src/github.com/docker/docker/profiles/seccomp/default.json";
    return JSON.parse(readFileSync(join(directory, source), "utf8")) as SeccompProfile;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function differences(
  abi: AbiName,
  ours: Uint8Array,
  theirs: Uint8Array,
  random: () => number,
): string[] {
  const { audit } = ABIS[abi];
  return callsOf(abi)
    .filter(({ name }) => !WAYS_ROUND.includes(name))
    .flatMap((call) =>
      Array.from({ length: 20 }, () => {
        const asked = { ...call, audit, args: someArguments(call, random) };
        const [mine, other] = [interpret(ours, asked).verdict, interpret(theirs, asked).verdict];
        return mine === other
          ? ""
          : `${abi} ${call.name} ${asked.args.join()}: ${mine}, not ${other}`;
      }),
    )
    .filter(Boolean);
}

/** Whether a rule of Docker's applies to x86-64 without capabilities and a new kernel. */
function applies({ includes, excludes }: SeccompRule): boolean {
  const isNative = includes?.arches === undefined || includes.arches.includes("amd64");
  const isOther = excludes?.arches?.includes("amd64") !== true;
  return isNative && isOther && (includes?.caps ?? []).length === 0;
}

/** Compiles profiles with libseccomp. */
function reference(profiles: readonly object[]): Uint8Array[] {
  const input = profiles.map((profile) => JSON.stringify(profile, asText)).join("\n");
  const { stdout, stderr } = spawnSync("/usr/bin/python3", [SCRIPT], {
    input,
    encoding: "utf8",
    maxBuffer: 1e9,
  });
  expect(stderr).toBe("");
  return stdout
    .trim()
    .split("\n")
    .map((line) => Buffer.from(line, "hex"));
}

function asText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}
