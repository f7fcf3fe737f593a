import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { frame, str, u8, u32, u64 } from "../../../src/start/launcher/frame.js";
import { type Message, messageReader } from "../../../src/start/launcher/message.js";

const READY = frame(
  "R",
  u32(4711),
  ...Array.from({ length: 7 }, (_, index) => u64(4_026_531_830 + index)),
  u64(0),
  u8(1),
  u64(4097),
  u32(2),
  str("mounts[0]"),
  u64(14),
  str("writable[0]"),
  u64(0),
);
const PIPES = frame("P", u32(3), u32(9), u32(10), u32(0xffff_ffff));
const FAILED = frame("F", u32(0), u8(1), u32(28), str("mounts[1]"), str("fsmount"));
const EXITED = frame("X", u32(1), u32(256), ...Array.from({ length: 9 }, () => u64(2 ** 40)));
const ALL = Buffer.concat([READY, PIPES, FAILED, EXITED]);

const WRONG: readonly (readonly [title: string, bytes: Buffer])[] = [
  ["a frame of no bytes", u32(0)],
  ["a frame of an unknown type", frame("Z")],
  ["a frame of the type 0", frame("\0")],
  ["a frame of 16 MiB and a byte, by its length alone", u32((16 << 20) + 1)],
  ["a frame of 2^32-1 bytes, by its length alone", u32(0xffff_ffff)],
  ["2^32-1 mounts", frame("R", READY.subarray(5, -49), u32(0xffff_ffff))],
  ["a mount more than it says", frame("R", READY.subarray(5), str("x"), u64(0))],
  ["a string of no bytes", frame("F", u32(0), u8(1), u32(0), u32(0), str("x"))],
  ["a string of 2^32-1 bytes", frame("F", u32(0), u8(1), u32(0), u32(0xffff_ffff), str("x"))],
  ["a byte too many", frame("P", PIPES.subarray(5), u8(0))],
];

describe("messageReader", () => {
  it("reads what the launcher says", () => {
    expect(read(ALL)).toMatchObject([
      {
        type: "ready",
        initPid: 4711,
        namespaces: { mount: 4_026_531_830, network: 4_026_531_836 },
        capabilities: 0n,
        noNewPrivileges: true,
        rootFlags: 4097,
        mounts: [
          { path: "mounts[0]", flags: 14 },
          { path: "writable[0]", flags: 0 },
        ],
      },
      { type: "pipes", id: 3, fds: [9, 10, -1] },
      { type: "failed", id: 0, kind: 1, errno: 28, path: "mounts[1]", what: "fsmount" },
      { type: "exited", id: 1, status: 256, userTime: 2 ** 40, maxResident: 2 ** 40 },
    ]);
  });

  it("reads the same however the bytes are cut", () => {
    const whole = read(ALL);
    const cuts = fc.array(fc.integer({ min: 0, max: ALL.length }));
    fc.assert(
      fc.property(cuts, (at) => {
        expect(read(...cut(ALL, at))).toEqual(whole);
      }),
    );
    expect(read(...cut(ALL, [...ALL.keys()]))).toEqual(whole);
  });

  it.each(WRONG)("throws a RangeError for %s", (_, bytes) => {
    expect(() => read(bytes)).toThrow(RangeError);
  });

  it("says nothing of a frame before all of it is there", () => {
    for (const one of [READY, PIPES, FAILED, EXITED])
      for (let size = 0; size < one.length; size++) expect(read(one.subarray(0, size))).toEqual([]);
  });

  it("throws a RangeError for a frame whose payload is cut short at any byte", () => {
    for (const one of [READY, PIPES, FAILED, EXITED])
      for (let size = 5; size < one.length; size++)
        expect(() => read(frame(letter(one), one.subarray(5, size)))).toThrow(RangeError);
  });

  it("throws nothing but a RangeError, whatever it is given", () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    const typed = fc
      .tuple(fc.constantFrom("R", "P", "F", "X", "S"), bytes)
      .map(([type, payload]) => frame(type, payload));
    const bent = fc
      .tuple(fc.nat(ALL.length - 1), fc.nat(255))
      .map(([at, value]) => Buffer.from(ALL).fill(value, at, at + 1));
    fc.assert(
      fc.property(fc.oneof(bytes, typed, bent), fc.array(fc.nat(400)), (input, at) => {
        expect(outcome(cut(input, at))).toEqual(outcome([input]));
      }),
      { numRuns: 5000 },
    );
  });
});

function read(...chunks: readonly Buffer[]): Message[] {
  const messages: Message[] = [];
  const reader = messageReader((message) => messages.push(message));
  for (const chunk of chunks) reader(chunk);
  return messages;
}

/** What comes before an error counts, too. Any other error than a RangeError is thrown. */
function outcome(chunks: readonly Buffer[]): unknown {
  const messages: unknown[] = [];
  const reader = messageReader((message) => messages.push(message));
  try {
    for (const chunk of chunks) reader(chunk);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    messages.push(error.message);
  }
  return messages;
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const marks = [0, ...at.toSorted((a, b) => a - b), bytes.length];
  return marks.map((mark, index) => bytes.subarray(marks[index - 1] ?? 0, mark));
}

function letter(bytes: Buffer): string {
  return bytes.toString("latin1", 4, 5);
}
