import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const packages = join(import.meta.dirname, "../..");

/** Private names of earlier versions, and the field's own words that took their place. */
const RETIRED: Readonly<Record<string, string>> = {
  courier: "send_fds",
  handover: "send_fds",
  parking: "fd store",
  brought: "fd store",
  shelf: "idle sandboxes",
  holder: "keep-alive",
  patience: "watchdog",
  guardian: "watchdog",
  greeting: "initial bytes",
  obey: "dispatch",
  bury: "reap",
  settled: "resolve paths",
  offer: "delegation",
  leaf: "supervisor cgroup",
  trial: "probe",
  remains: "stale",
  counts: "stats",
  counted: "stats",
  stopper: "deadline",
  letgo: "close unread",
  pieces: "chunk buffer",
  wires: "stdio targets",
  wiring: "stdio targets",
  pins: "self-binds",
  lived: "result",
  sealed: "cloned binary",
};

const files = readdirSync(packages).flatMap((name) =>
  ["src", "lib", "runtime", "fuzz"].flatMap((folder) => sourcesIn(join(name, folder))),
);

test("no file and nothing that is declared bears a retired name", () => {
  expect(files.length).toBeGreaterThan(200);
  const found = files.flatMap((file) =>
    namesIn(file)
      .filter((name) => wordsOf(name).some((word) => Object.hasOwn(RETIRED, word)))
      .map((name) => `${file}: ${name}`),
  );
  expect(found, JSON.stringify(RETIRED)).toEqual([]);
});

function sourcesIn(folder: string): string[] {
  const directory = join(packages, folder);
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(ts|c|h)$/.test(file))
    .map((file) => join(folder, file));
}

/** The name of a file, and of everything that is declared in it. */
function namesIn(file: string): string[] {
  const code = readFileSync(join(packages, file), "utf8").replace(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
  const declared = file.endsWith(".ts")
    ? /\b(?:function|const|let|class|interface|type|readonly)\s+(#?\w+)/g
    : /^(?:static |struct |enum |const )*\w+[ *]+(\w+)\(/gm;
  const base =
    file
      .split("/")
      .at(-1)
      ?.replace(/\.\w+$/, "") ?? "";
  return [base, ...[...code.matchAll(declared)].map(([, name = ""]) => name)];
}

/** `letGo`, `let-go` and `let_go` are one name of two words: its words, and both together. */
function wordsOf(name: string): string[] {
  const words = name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter(Boolean);
  return [...words, ...words.slice(1).map((word, index) => `${words[index]}${word}`)];
}
