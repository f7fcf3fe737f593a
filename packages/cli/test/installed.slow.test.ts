import { execFileSync, spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { npm, OTHER, type Packed, PROGRAM, pack } from "./support/packed.js";
import { testUnless } from "./support/test-unless.js";

let scratch = "";
/** Milliseconds that a package manager may take on a machine that is busy with other tests. */
const SLOW = 120_000;
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A backend and its dependencies. The command line needs none of them: core is bundled into it. */
const BACKEND: readonly Packed[] = [
  "@sandboxlib/core",
  "@sandboxlib/seccomp",
  "@sandboxlib/backend-bubblewrap",
  "@sandboxlib/launcher",
  PROGRAM,
];
const EVERYTHING: readonly Packed[] = ["@sandboxlib/cli", ...BACKEND, "@acme/sandboxlib-plain"];
let tarballs: ReadonlyMap<Packed, string> = new Map();
beforeAll(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "sandboxlib-installed-")));
  tarballs = pack([...EVERYTHING, OTHER], scratch);
}, SLOW);

function tarball(name: Packed): string {
  return tarballs.get(name) ?? "";
}

/** An empty project outside the repository. */
function project(name: string, manifest: Record<string, unknown> = {}): string {
  const directory = join(scratch, name);
  mkdirSync(directory);
  writeFileSync(
    join(directory, "package.json"),
    JSON.stringify({ name, private: true, ...manifest }),
  );
  return directory;
}

/** A project whose own `node_modules` has a backend that says so when its code is run. */
function untrusted(): string {
  const directory = mkdtempSync(join(scratch, "untrusted-"));
  const evil = join(directory, "node_modules/@sandboxlib/backend-evil");
  mkdirSync(evil, { recursive: true });
  const sandboxlib = { backend: "evil", apiVersion: 1, platforms: ["linux"] };
  writeFileSync(
    join(evil, "package.json"),
    JSON.stringify({ type: "module", exports: "./i.js", sandboxlib }),
  );
  writeFileSync(
    join(evil, "i.js"),
    'import { writeFileSync } from "node:fs"; writeFileSync("/proc/self/cwd/loaded", "");',
  );
  return directory;
}

/** What `sandboxlib backends` finds, run in a directory with an untrusted backend, which must not be loaded. */
function foundBy(command: readonly [string, ...string[]]): string[] {
  const cwd = untrusted();
  const [program, ...args] = command;
  const output = execFileSync(program, [...args, "backends", "--json"], { cwd, encoding: "utf8" });
  expect(readdirSync(cwd)).toEqual(["node_modules"]);
  return (JSON.parse(output) as { name: string }[]).map(({ name }) => name);
}

function bin(directory: string, name = "sandboxlib"): string {
  return join(directory, "node_modules/.bin", name);
}

describe("installed with npm", () => {
  let directory = "";
  beforeAll(() => {
    directory = project("with-npm");
    npm(["install", ...EVERYTHING.map(tarball)], directory);
  }, SLOW);

  test("the command line finds exactly the backends beside it, and none of the working directory", () => {
    expect(foundBy([bin(directory)])).toEqual(["bubblewrap", "plain"]);
  });

  test("a backend of a third party, under a scope of its own, runs", () => {
    const args = ["--backend", "plain", "--degrade", "--quiet", "--", "echo", "from a third party"];
    const { stdout, stderr } = spawnSync(bin(directory, "run-sandbox"), args, { encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "from a third party\n", stderr: "" });
  });

  test("a backend is not taken from the working directory when it is named, either", () => {
    const cwd = untrusted();
    const args = ["--backend", "evil", "--", "true"];
    const { status, stderr } = spawnSync(bin(directory, "run-sandbox"), args, {
      cwd,
      encoding: "utf8",
    });
    expect(status).toBe(125);
    expect(stderr).toContain('no backend "evil" is installed');
    expect(readdirSync(cwd)).toEqual(["node_modules"]);
  });

  test("the command line works when it is called through a symlink from anywhere", () => {
    expect(foundBy([process.execPath, bin(directory)])).toEqual(["bubblewrap", "plain"]);
  });
});

test("without a backend, doctor fails and says what to install", () => {
  const directory = project("no-backend");
  npm(["install", tarball("@sandboxlib/cli")], directory);
  const { status, stdout } = spawnSync(bin(directory), ["doctor"], { encoding: "utf8" });
  expect(status).toBe(1);
  expect(stdout).toContain("No backend is installed. Install one beside this tool");
  expect(readdirSync(join(directory, "node_modules/@sandboxlib"))).toEqual(["cli"]);
});

const TEMPLATES = [
  "conformance.test.ts",
  "engine.mjs",
  "engine.test.ts",
  "engine.ts",
  "index.ts",
  "package.json",
  "tsconfig.json",
];

test("the tarball of the command line holds the programs and nothing else", () => {
  const files = execFileSync("tar", ["-tzf", tarball("@sandboxlib/cli")], { encoding: "utf8" });
  const kinds = new Set(
    files
      .trim()
      .split("\n")
      .map((file) =>
        file.replace(/[^/]+\.(c?js)$/, "*.$1").replace(/attacks-linux-\w+$/, "attacks-*"),
      ),
  );
  expect([...kinds].sort()).toEqual(
    [
      "LICENSE",
      "README.md",
      "THIRD-PARTY.md",
      "bin/*.js",
      "bin/attacks-*",
      "bin/package.json",
      "dist/*.cjs",
      "man/run-sandbox.1",
      "man/sandboxlib.1",
      "package.json",
      ...TEMPLATES.map((file) => `template/${file}.template`),
    ].map((file) => `package/${file}`),
  );
});

test(
  "core and one backend bring no other backend, and at most 12 MB",
  () => {
    const directory = project("library");
    npm(["install", ...BACKEND.map(tarball)], directory);
    const modules = join(directory, "node_modules");
    expect(readdirSync(join(modules, "@sandboxlib")).sort()).toEqual([
      "backend-bubblewrap",
      "core",
      "launcher",
      PROGRAM.slice("@sandboxlib/".length),
      "seccomp",
    ]);
    const [kilobytes] = execFileSync("du", ["-sk", modules], { encoding: "utf8" }).split("\t");
    expect(Number(kilobytes)).toBeLessThan(12 * 1024);
  },
  SLOW,
);

test(
  "`npx -p` finds the backends that are named beside the command line",
  () => {
    const packages = EVERYTHING.flatMap((name) => ["-p", tarball(name)]);
    const command = [
      "npx",
      "--yes",
      "--offline",
      "--cache",
      join(scratch, "npx"),
      ...packages,
    ] as const;
    expect(foundBy([...command, "sandboxlib"])).toEqual(["bubblewrap", "plain"]);
  },
  SLOW,
);

test("the licence of the code inside the programs comes with them", () => {
  const own = join(import.meta.dirname, "..");
  const licences = readFileSync(join(own, "THIRD-PARTY.md"), "utf8");
  const files = ["cli/node_modules/jsonc-parser/LICENSE.md", "core/node_modules/zod/LICENSE"];
  for (const file of files) {
    const licence = readFileSync(join(own, "..", file), "utf8");
    expect(licences).toContain(licence.replaceAll("\r", "").trim());
  }
  const code = readdirSync(join(own, "dist"))
    .filter((name) => name.endsWith(".cjs"))
    .map((name) => readFileSync(join(own, "dist", name), "utf8"))
    .join("");
  const packages = code.match(/node_modules\/(?!\.pnpm)[^/\n]+/g);
  expect([...new Set(packages)].sort()).toEqual(
    ["jsonc-parser", "zod"].map((name) => `node_modules/${name}`),
  );
});

const pnpm = findPnpm();
for (const [what, enableGlobalVirtualStore] of [
  ["its store in the project", false],
  ["its store elsewhere", true],
] as const)
  testUnless(
    pnpm === undefined ? "there is no pnpm, and no registry to get it from" : undefined,
    `installed with pnpm, ${what}, the command line finds the backends beside it`,
    () => {
      const [program = "", ...args] = pnpm ?? [];
      const files = Object.fromEntries(EVERYTHING.map((name) => [name, `file:${tarball(name)}`]));
      const directory = project(enableGlobalVirtualStore ? "with-store" : "with-pnpm", {
        dependencies: files,
      });
      // What the packages depend on is taken from the tarballs as well, so that no registry is needed.
      writeFileSync(
        join(directory, "pnpm-workspace.yaml"),
        JSON.stringify({
          enableGlobalVirtualStore,
          overrides: { ...files, [OTHER]: `file:${tarball(OTHER)}` },
        }),
      );
      const options = ["install", "--offline", "--store-dir", join(scratch, "store")];
      execFileSync(program, [...args, ...options], { cwd: directory, stdio: "pipe" });
      expect(foundBy([bin(directory)])).toEqual(["bubblewrap", "plain"]);
    },
    SLOW,
  );

testUnless(
  pnpm === undefined ? "there is no pnpm, and no registry to get it from" : undefined,
  "installed with `pnpm add --global`, the command line finds the backends beside it",
  () => {
    const [program = "", ...args] = pnpm ?? [];
    const home = join(scratch, "pnpm-home");
    const own = [...EVERYTHING, OTHER];
    const overrides = Object.fromEntries(own.map((name) => [name, `file:${tarball(name)}`]));
    // pnpm 10 keeps what is global in a project of its own, in which the tarballs take the place of the registry.
    mkdirSync(join(home, "global/5"), { recursive: true });
    writeFileSync(join(home, "global/5/package.json"), JSON.stringify({ pnpm: { overrides } }));
    const env = { ...process.env, PNPM_HOME: home, PATH: `${home}:${process.env["PATH"]}` };
    const options = ["--global", "--offline", "--store-dir", join(scratch, "global-store")];
    const files = EVERYTHING.map((name) => `file:${tarball(name)}`);
    execFileSync(program, [...args, "add", ...options, ...files], { cwd: "/", env, stdio: "pipe" });
    expect(foundBy([join(home, "sandboxlib")])).toEqual(["bubblewrap", "plain"]);
  },
  SLOW,
);

/** The pnpm that runs these tests, or the one that the repository names, if it can be had. */
function findPnpm(): string[] | undefined {
  const running = process.env["npm_execpath"] ?? "";
  if (/pnpm\.c?js$/.test(running)) return [process.execPath, running];
  const root = join(import.meta.dirname, "../../../package.json");
  const { packageManager } = JSON.parse(readFileSync(root, "utf8")) as { packageManager: string };
  const named = ["npx", "--yes", packageManager];
  const { status } = spawnSync("npx", [...named.slice(1), "--version"], {
    cwd: "/",
    timeout: 20_000,
  });
  return status === 0 ? named : undefined;
}
