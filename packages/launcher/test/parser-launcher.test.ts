import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { skipOrRequire } from "@sandboxlib/test-support";
import { afterAll, describe, expect, it } from "vitest";
import { BROKEN_SETUPS } from "./parser-broken.js";
import { BROKEN_COMMANDS } from "./parser-broken-commands.js";
import { command, frame, setup, strs, terminal, u8, u32 } from "./parser-bytes.js";
import {
  cutOff,
  launch,
  launchWithStreams,
  RIGHT_SESSION,
  RIGHT_SETUP,
  unusable,
} from "./parser-launch.js";

const { skip, note: why } = skipOrRequire("namespaces", unusable);

describe.skipIf(skip)(`the launcher refuses, and ends${why}`, () => {
  it.each(BROKEN_SETUPS)("%s", async (_, payload, sentence) => {
    expect(await launch(frame("S", payload))).toEqual(refusal("F", sentence));
  });

  it.each(BROKEN_COMMANDS)("%s", async (_, payload, sentence) => {
    expect(await launch(RIGHT_SETUP, frame("C", payload))).toEqual(refusal("RF", sentence));
  });

  it.each([
    ["a command", frame("C", command({}))],
    ["a frame of an unknown type", frame("Z", setup({}))],
    ["a frame of no bytes", u32(0)],
    ["a frame of a byte more than 16 MiB", u32((16 << 20) + 1)],
    ["a frame of 2^32-1 bytes", u32(0xffff_ffff)],
  ])("%s in place of the set-up", async (_, bytes) => {
    expect(await launch(bytes)).toEqual(refusal("F", "the first frame is no set-up"));
  });

  it("a set-up that is cut short at any byte", async () => {
    for (let size = 1; size < RIGHT_SETUP.length; size += 7)
      expect(await cutOff(RIGHT_SETUP.subarray(0, size))).toEqual(
        refusal("F", "the first frame is no set-up"),
      );
  });

  it("a command that is cut short at any byte, without a word", async () => {
    const whole = frame("C", sleeper());
    for (let size = 0; size < whole.length; size += 7) {
      const said = await cutOff(RIGHT_SETUP, whole.subarray(0, size));
      expect(said).toMatchObject({ exitCode: 0, left: false });
    }
  });

  it.each([
    ["another set-up", RIGHT_SETUP],
    ["a signal", frame("K", u32(1, 15))],
    ["a frame of no bytes", u32(0)],
    ["a frame of 2^32-1 bytes", u32(0xffff_ffff)],
  ])("%s in place of the command", async (_, bytes) => {
    expect(await launch(RIGHT_SETUP, bytes)).toEqual(refusal("RF", "a frame is broken"));
  });

  it.each([
    ["a second command in a run", frame("C", command({ id: 2 }))],
    ["the signal 0", frame("K", u32(1, 0))],
    ["the signal 65", frame("K", u32(1, 65))],
    ["half a signal", frame("K", u32(1))],
    ["a byte more than a signal", frame("K", u32(1, 15), u8(0))],
    ["a window that is too wide", frame("W", u32(1, 65_536, 1))],
    ["half a window", frame("W", u32(1, 80))],
    ["pipes that were opened, in a run", frame("O", u32(1))],
  ])("%s", async (_, bytes) => {
    const said = await launch(RIGHT_SETUP, frame("C", sleeper()), bytes);
    expect(said).toEqual(refusal("RF", "a frame is out of place"));
  });

  it.each([
    ["two commands with one id", frame("C", sleeper()), "two commands have one id"],
    ["a broken command in a session", frame("C"), "a command is broken"],
    [
      "a terminal in a session",
      frame("C", command({ records: terminal(80, 24) })),
      "a session has no terminals",
    ],
    ["a window in a session", frame("W", u32(1, 80, 24)), "a frame is out of place"],
    ["another set-up in a session", RIGHT_SESSION, "a frame is out of place"],
    ["a frame of an unknown type in a session", frame("Z"), "a frame is out of place"],
    ["the signal 65 in a session", frame("K", u32(1, 65)), "a frame is out of place"],
    ["half of what says that pipes were opened", frame("O", u8(1)), "a frame is out of place"],
    [
      "a command whose streams were not sent before it",
      frame("C", command({ id: 2, streams: [4, 4, 4] })),
      "the streams of a command were not sent before it",
    ],
    ["a frame of 2^32-1 bytes in a session", u32(0xffff_ffff), "a frame is broken"],
  ])("%s", async (_, bytes, sentence) => {
    const said = await launch(RIGHT_SESSION, frame("C", sleeper()), bytes);
    expect(said).toEqual(refusal("RF", sentence));
  });
});

describe.skipIf(skip)("a command whose streams were sent", () => {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-streams-"));
  afterAll(() => rmSync(directory, { recursive: true }));

  it("gets its own, and not those of a command that never came", async () => {
    const paths = ["first", "second"].map((name) => join(directory, name));
    const files = paths.map((path) => openSync(path, "w"));
    const argv = strs("/bin/sh", "-c", "echo said");
    const said = await launchWithStreams(
      files.map((file, index) => [index + 1, file] as const),
      RIGHT_SESSION,
      frame("C", command({ id: 2, streams: [1, 4, 1], argv })),
    );
    for (const file of files) closeSync(file);
    expect(said).toMatchObject({ types: "RX", left: false });
    expect(paths.map((path) => readFileSync(path, "utf8"))).toEqual(["", "said\n"]);
  });
});

describe.skipIf(skip)("a program whose end was asked for", () => {
  it("does not begin", async () => {
    const touch = frame("C", command({ argv: strs("/bin/sh", "-c", "echo begun >&2; sleep 600") }));
    const said = await launch(RIGHT_SETUP, touch, frame("K", u32(1, 15)));
    expect(said).toMatchObject({ exitCode: 0, types: "RX", left: false });
  });
});

/** Outlives every test, unless it is killed. */
function sleeper(): Buffer {
  return command({ argv: strs("/bin/sleep", "600") });
}

function refusal(types: string, what: string): Awaited<ReturnType<typeof launch>> {
  const failed = { id: 0, kind: 0, errno: 0, field: "", what };
  return { exitCode: 0, types, failed, left: false };
}
