import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Author, author } from "./support/author.js";

const SLOW = 240_000;

let place: Author;
beforeAll(() => {
  place = author();
}, SLOW);
afterAll(() => place.remove());

const CLI = "@sandboxlib/cli/bin/sandboxlib.js";
const newBackend = (...words: string[]) => {
  const { status, stdout, stderr } = place.run([CLI, "new-backend", ...words], place.directory);
  return { status, stdout, stderr };
};

describe("sandboxlib new-backend, from the packed tarballs", () => {
  const files = ["package.json", "src/index.ts", "test/conformance.test.ts", "tsconfig.json"];
  test.each([
    ["fresh", [], files],
    ["fresh-engine", ["--engine"], ["engine.mjs", ...files]],
  ])(
    "writes the files of %s, which compile as they are and pass the kit",
    (name, options, written) => {
      const directory = join(place.directory, `sandboxlib-backend-${name}`);
      const next = `\nNext: cd sandboxlib-backend-${name} && npm install && npm test\n`;
      expect(newBackend(...options, name)).toEqual({
        status: 0,
        stdout: expect.stringContaining(next),
        stderr: "",
      });
      expect(listed(directory)).toEqual(written);
      const manifest = readFileSync(join(directory, "package.json"), "utf8");
      expect(JSON.parse(manifest)).toMatchObject({
        name: `@example/sandboxlib-backend-${name}`,
        sandboxlib: { backend: name },
      });
      const compiled = place.run(["typescript/bin/tsc"], directory);
      expect(compiled).toMatchObject({ status: 0, stdout: "" });
      const required = { SANDBOXLIB_REQUIRE: name };
      const kit = place.run(["vitest/vitest.mjs", "run"], directory, required);
      expect(kit.stdout).toContain("1 passed");
      expect(kit.status).toBe(0);
    },
    SLOW,
  );

  test("what it writes is found by discovery once it is compiled", () => {
    const path = { SANDBOXLIB_BACKEND_PATH: join(place.directory, "sandboxlib-backend-fresh") };
    const { stdout } = place.run([CLI, "backends", "--json"], place.directory, path);
    expect(JSON.parse(stdout)).toMatchObject([{ name: "fresh", available: true }]);
  });

  test("writes over nothing", () => {
    const directory = join(place.directory, "sandboxlib-backend-mine");
    mkdirSync(directory);
    writeFileSync(join(directory, "package.json"), "mine");
    expect(newBackend("mine")).toEqual({
      status: 2,
      stdout: "",
      stderr:
        'sandboxlib: "sandboxlib-backend-mine": exists already\nhint: Choose another NAME, or remove it.\n',
    });
    expect(readFileSync(join(directory, "package.json"), "utf8")).toBe("mine");
  });

  test.each([
    [[], "NAME is missing"],
    [["one", "two"], '"two": is a second NAME'],
    [["../one"], 'NAME: "../one" is no name for a backend'],
    [["One"], 'NAME: "One" is no name for a backend'],
  ])("refuses the words %j", (words, says) => {
    expect(newBackend(...words)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`sandboxlib: ${says}\nhint: `),
    });
  });
});

/** What somebody makes of the files of the page by mistake, and the first line of each failure of the kit. */
const LIARS: readonly [
  does: string,
  edits: readonly [before: string, after: string][],
  says: Record<string, unknown>,
][] = [
  [
    "makes no network namespace",
    [['network === "none" ? ["--net"] : []', "[network].slice(1)"]],
    { "network.none gives a net namespace that is not the host's": held("network.none", "net") },
  ],
  [
    "makes no namespace at all",
    [
      ['"--user", "--map-current-user", ', ""],
      ['["--net", "--ipc", "--wd=/"]', '["--wd=/"]'],
      ['network === "none" ? ["--net"] : []', "[network].slice(1)"],
      ['...(isolate.has("ipc") ? ["--ipc"] : [])', "...[...isolate].slice(9)"],
    ],
    {
      "network.none gives a net namespace that is not the host's": held("network.none", "net"),
      "isolate.ipc gives a ipc namespace that is not the host's": held("isolate.ipc", "ipc"),
      "isolate.user gives a user namespace that is not the host's": held("isolate.user", "user"),
    },
  ],
  [
    "leaves a process behind in each run",
    [
      [
        "argv: command(host, options(config))",
        `argv: ["/bin/sh", "-c", '(setsid sleep 60 <&- >&- 2>&- &); exec "$@"', "sh", ...command(host, options(config))]`,
      ],
    ],
    {
      "no process": expect.stringMatching(/^a run leaves processes on the host: \d+ \(sleep 60\)/),
    },
  ],
];

describe("the example of the page, as a liar", () => {
  test.each(LIARS)(
    "one that %s fails for that reason and no other",
    (does, edits, says) => {
      const name = `liar-${LIARS.findIndex(([each]) => each === does)}`;
      newBackend(name);
      const directory = join(place.directory, `sandboxlib-backend-${name}`);
      const file = join(directory, "src/index.ts");
      let code = readFileSync(file, "utf8");
      for (const [before, after] of edits) {
        expect(code).toContain(before);
        code = code.replace(before, after);
      }
      writeFileSync(file, code);
      expect(place.run(["typescript/bin/tsc", "--noEmit"], directory)).toMatchObject({
        status: 0,
        stdout: "",
      });
      const kit = place.run(["vitest/vitest.mjs", "run", "--reporter=json"], directory);
      expect(failuresIn(kit.stdout)).toEqual(says);
    },
    SLOW,
  );
});

/** In the words of the kit. */
function held(word: string, file: string): string {
  return `${word} is declared, and does not hold: the program is in the ${file} namespace of the host`;
}

/** The first line of each failure, by the title of its case. */
function failuresIn(stdout: string): Record<string, string> {
  const { testResults } = JSON.parse(stdout.slice(stdout.indexOf('{"numTotalTestSuites"'))) as {
    testResults: readonly { readonly assertionResults: readonly Assertion[] }[];
  };
  const failed = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === "failed"),
  );
  return Object.fromEntries(
    failed.map(({ title, failureMessages: [message = ""] }) => [
      title,
      (message.split("\n")[0] ?? "").replace(/^\w*Error(?: \[\w+\])?: /, ""),
    ]),
  );
}

interface Assertion {
  readonly title: string;
  readonly status: string;
  readonly failureMessages: readonly string[];
}

function listed(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}
