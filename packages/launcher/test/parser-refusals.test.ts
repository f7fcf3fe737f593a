import { beforeAll, describe, expect, it } from "vitest";
import { BROKEN_SETUPS } from "./parser-broken.js";
import { BROKEN_COMMANDS } from "./parser-broken-commands.js";
import { command, frame, HEAD, mount, record, setup, str, strs, u32 } from "./parser-bytes.js";
import type { Broken } from "./parser-crooked.js";
import { missing, type Parsed, replay, skip } from "./parser-replay.js";

const why = missing === undefined ? "" : ` (${missing})`;

describe.skipIf(skip)(`a set-up that is wrong is refused${why}`, () => rules("S", BROKEN_SETUPS));

describe.skipIf(skip)(`a command that is wrong is refused${why}`, () =>
  rules("C", BROKEN_COMMANDS),
);

describe.skipIf(skip)(`what is cut short${why}`, () => {
  it("is refused as a set-up at every byte that does not end a record", async () => {
    const host = record("H", str("box"));
    const bind = mount({ type: "b", source: "/usr", target: "/usr" });
    const records = [...Object.values(HEAD), host, mount({ type: "t" }), bind];
    const whole = Buffer.concat(records);
    const expected = records.flatMap(({ length }, index) => [
      ...(index < 5 ? [MISSING[index]] : [undefined]),
      ...Array<string>(length - 1).fill(MISSING[index] ?? "a record is broken"),
    ]);
    const answers = await replay("run", ...cuts("S", whole));
    expect(answers.map(({ wrong }) => wrong)).toEqual(expected);
  });

  it("is refused as a command at every byte", async () => {
    const whole = command({});
    const answers = await replay("run", ...cuts("C", whole));
    expect(answers).toEqual(Array(whole.length).fill({ wrong: "a command is broken" }));
  });

  it("is refused as a frame", async () => {
    const whole = frame("S", setup({}));
    for (let size = 1; size < whole.length; size += size < 8 ? 1 : 7)
      expect(await replay("run", whole.subarray(0, size))).toEqual([
        { wrong: "a frame is broken" },
      ]);
  });
});

describe.skipIf(skip)(`a frame${why}`, () => {
  it.each([
    ["of no bytes", u32(0)],
    ["of a byte more than 16 MiB", Buffer.concat([u32((16 << 20) + 1), Buffer.from("S")])],
    ["of 2^32-1 bytes", Buffer.concat([u32(0xffff_ffff), Buffer.from("S")])],
  ])("%s is refused", async (_, bytes) => {
    expect(await replay("run", bytes)).toEqual([{ wrong: "a frame is broken" }]);
  });

  it("of 16 MiB is read, to its end", async () => {
    const room = (16 << 20) - command({ id: 0, argv: strs("") }).length - 1;
    const whole = frame("C", command({ id: 0, argv: strs("a".repeat(room)) }));
    expect(whole.length).toBe(4 + (16 << 20));
    expect(await replay("run", whole)).toEqual([{ wrong: "a command has the id 0" }]);
  });

  it("of 300,000 mounts is refused for the last of them", async () => {
    const mounts = Array<Buffer>(300_000).fill(mount({ type: "t" }));
    const whole = frame("S", setup({}, Buffer.concat(mounts), mount({ type: "x" })));
    expect(await replay("run", whole)).toEqual([{ wrong: "a mount has an unknown type" }]);
  });

  it("that is right is read after one that is wrong", async () => {
    const answers = await replay("run", frame("S"), frame("S", setup({})), frame("C", command({})));
    expect(answers.map(({ wrong }) => wrong)).toEqual([
      "the version is not 1",
      undefined,
      undefined,
    ]);
  });
});

/** What is said of a set-up that ends within its first records. */
const MISSING = [
  "the version is not 1",
  "the mode is broken",
  "the namespaces are broken",
  "the ids are broken",
  "the root is broken",
  "the host name is broken",
];

function rules(type: "S" | "C", broken: readonly Broken[]): void {
  let answers: Parsed[];
  beforeAll(async () => {
    answers = await replay("run", ...broken.map(([, payload]) => frame(type, payload)));
  });
  it.each(broken.map(([title, , sentence], index) => [title, sentence, index] as const))(
    "%s: %s",
    (_, sentence, index) => expect(answers[index]).toEqual({ wrong: sentence }),
  );
}

function cuts(type: string, whole: Buffer): Buffer[] {
  return Array.from(whole, (_, size) => frame(type, whole.subarray(0, size)));
}
