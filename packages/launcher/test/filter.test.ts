import { constants } from "node:os";
import { skipOrRequire } from "@sandboxlib/test-support";
import { describe, expect, it } from "vitest";
import { command, frame, record, setup, u32 } from "./parser-bytes.js";
import { launch, RIGHT_IDS, unusable } from "./parser-launch.js";

const { skip, note: why } = skipOrRequire("namespaces", unusable);
const { EINVAL, ENOSYS, ENOTTY } = constants.errno;
const EXECVE = process.arch === "x64" ? 59 : 221;

describe.skipIf(skip)(`the filter of a set-up${why}`, () => {
  it("that the kernel does not take is a failure of the sandbox", async () => {
    const unknown = u32(0xffff, 0);
    const failed = { id: 0, kind: 1, errno: EINVAL, field: "", what: "seccomp" };
    expect(await launchWith(unknown)).toEqual({ exitCode: 0, types: "F", failed, left: false });
  });

  it("holds for the exec of the program", async () => {
    const load = u32(0x20, 0);
    const ifExec = u32(0x0100_0015, EXECVE);
    const [refuse, allow] = [u32(0x06, 0x5_0000 | ENOTTY), u32(0x06, 0x7fff_0000)];
    const said = await launchWith(load, ifExec, refuse, allow);
    expect(said).toMatchObject({ types: "RF", failed: { id: 1, kind: 3, errno: ENOTTY } });
  });

  it("that lets nothing through is a failure of the sandbox, although pid 1 can neither say so nor end", async () => {
    const said = await launchWith(u32(0x06, 0x5_0000 | ENOSYS));
    const what = "pid 1 of the sandbox cannot end: its filter of system calls forbids it";
    const failed = { id: 0, kind: 1, errno: 0, field: "", what };
    expect(said).toEqual({ exitCode: 0, types: "F", failed, left: false });
  });
});

describe.skipIf(skip)(`the filter at exec of a set-up${why}`, () => {
  const [kill, allow] = [u32(0x06, 0x8000_0000), u32(0x06, 0x7fff_0000)];
  const load = u32(0x20, 0);

  it("that the kernel does not take is a failure of the command", async () => {
    const failed = { id: 1, kind: 1, errno: EINVAL, field: "", what: "seccomp" };
    expect(await launchWithBoth(u32(0xffff, 0))).toMatchObject({ types: "RF", failed });
  });

  it("holds for the exec of the program", async () => {
    const ifExec = u32(0x0100_0015, EXECVE);
    const refuse = u32(0x06, 0x5_0000 | ENOTTY);
    const said = await launchWithBoth(load, ifExec, refuse, allow);
    expect(said).toMatchObject({ types: "RF", failed: { id: 1, kind: 3, errno: ENOTTY } });
  });

  it("that kills for everything ends the program's process, and no more", async () => {
    expect(await launchWithBoth(kill)).toMatchObject({ types: "RX", left: false });
  });

  function launchWithBoth(...instructions: readonly Buffer[]): ReturnType<typeof launch> {
    const records = [record("F", allow), record("E", Buffer.concat(instructions))];
    return launch(frame("S", setup({ ids: RIGHT_IDS }, ...records)), frame("C", command({})));
  }
});

/** Each instruction is its code and its jumps, and a number. */
function launchWith(...instructions: readonly Buffer[]): ReturnType<typeof launch> {
  const filter = record("F", Buffer.concat(instructions));
  return launch(frame("S", setup({ ids: RIGHT_IDS }, filter)), frame("C", command({})));
}
