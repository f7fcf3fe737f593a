import { skipOrRequire } from "@sandboxlib/test-support";
import { describe, expect, it } from "vitest";
import { command, frame, strs, u8, u32 } from "./parser-bytes.js";
import { RIGHT_SETUP, serve, serveStopped, unusable } from "./parser-launch.js";

const { skip, note: why } = skipOrRequire("namespaces", unusable);

describe.skipIf(skip)(`a fork server refuses, and ends${why}`, () => {
  it.each([
    ["a launch request that is cut short", frame("L", u32(1, 0), u8(1))],
    ["the id 0", request(0)],
    ["namespaces that there are not", request(1, 64)],
    ["further user namespaces without one", request(1, 32)],
    ["a umask of more than nine bits", request(1, 31, 0o1000)],
    ["a stream of its own", request(1, 31, 0, 0)],
    ["a stream that is sent", request(1, 31, 0, 4)],
    ["a launcher that neither waits nor does not", request(1, 31, 0, 1, 2)],
    ["a tool request that is cut short", frame("T", u32(1, 0o22, 0, 0), u8(1, 1))],
    ["a tool of the id 0", tool({ id: 0 })],
    ["a tool without words", tool({ argv: strs() })],
    ["a tool whose standard output is merged", tool({ streams: u8(1, 3, 1) })],
    ["a tool with a /dev that is neither", tool({ dev: 2 })],
    ["a tool with a variable without a name", tool({ env: strs("=x") })],
    ["a tool with data on a standard stream", tool({ fds: [[2, 3, "x"]] })],
    [
      "a tool with two things on an fd",
      tool({
        fds: [
          [5, 3, "x"],
          [5, 1, ""],
        ],
      }),
    ],
    ["a tool with an fd too high", tool({ fds: [[64, 3, "x"]] })],
    ["a tool with a pipe that holds data", tool({ fds: [[5, 1, "x"]] })],
    ["a tool with an fd of no kind", tool({ fds: [[5, 4, ""]] })],
    [
      "a tool with four pipes",
      tool({
        fds: [
          [5, 1, ""],
          [6, 1, ""],
          [7, 2, ""],
          [8, 2, ""],
        ],
      }),
    ],
    ["a tool with nine fds", tool({ fds: Array.from({ length: 9 }, (_, at) => [at + 5, 3, ""]) })],
    ["bytes for nobody", frame("D", u8(1, 0, 0))],
    ["bytes for the id 0", frame("D", u32(0))],
    ["an end with a byte too many", frame("E", u32(1), u8(0))],
    ["a set-up", RIGHT_SETUP],
    ["a frame of an unknown type", frame("Z")],
  ])("%s", async (_, bytes) => {
    const failed = { id: 0, kind: 0, errno: 0, field: "", what: "a frame is out of place" };
    expect(await serve(bytes)).toMatchObject({ exitCode: 0, types: "F", failed, left: false });
  });

  it("two launchers with one id, and ends the first", async () => {
    const what = "two launchers have one id";
    const said = await serve(request(1), request(1));
    expect(said).toMatchObject({ exitCode: 0, failed: { id: 0, what }, left: false });
  });

  it("a frame that cannot be, without a word", async () => {
    for (const bytes of [u32(0), u32((16 << 20) + 1), u32(0xffff_ffff)])
      expect(await serve(bytes)).toMatchObject({ exitCode: 0, types: "", left: false });
  });

  it("and tells once of a launcher that it has had to kill", async () => {
    const types = await serveStopped(request(1), frame("E", u32(1)));
    expect(types.replaceAll("U", "")).toBe("BG");
  });

  it("nothing of a tool that is as it should be", async () => {
    const said = await serve(tool({}), frame("Z"));
    expect(said.exitCode).toBe(0);
    expect(said.types).toMatch(/^BRSG?F$/);
  });

  it("nothing that is said to a launcher that is not there", async () => {
    const ignored = [frame("D", u32(7), u8(1)), frame("E", u32(7)), frame("O", u32(7))];
    const said = await serve(...ignored, frame("Z"));
    expect(said).toMatchObject({ exitCode: 0, types: "F", left: false });
  });
});

type ToolFd = readonly [number, number, string];

/** A request for a tool, which would be right with the defaults. */
function tool({
  id = 1,
  streams = u8(1, 1, 1),
  dev = 0,
  argv = strs("/bin/true"),
  env = strs(),
  fds = [] as ToolFd[],
}): Buffer {
  const contents = fds.flatMap(([fd, kind, data]) => [
    u32(fd),
    u8(kind),
    u32(data.length),
    Buffer.from(data),
  ]);
  return frame("T", u32(id, 0o22, 0, 0), streams, u8(dev), argv, env, u32(fds.length), ...contents);
}

function request(id: number, namespaces = 31, umask = 0o22, stream = 1, waits = 0): Buffer {
  const sleeper = command({ argv: strs("/bin/sleep", "600") });
  const streams = u8(stream, stream, stream, waits);
  const initialBytes = [RIGHT_SETUP, frame("C", sleeper)];
  return frame("L", u32(id, namespaces, umask), streams, ...initialBytes);
}
