import { describe, expect, it } from "vitest";
import { realHost } from "../../src/index.backend.js";

const host = realHost();
const sh = (script: string): [string, ...string[]] => ["/bin/sh", "-c", script];

describe("the host runs a program", () => {
  it("with the environment that it is told, and no other", async () => {
    const env = { ONE: "1", PATH: "/bin" };
    expect((await host.run(["/usr/bin/env"], { env })).stdout).toBe("ONE=1\nPATH=/bin\n");
    expect((await host.run(["/usr/bin/env"])).stdout).toBe("");
  });

  it("with data on the fds that it is told, and no other open", async () => {
    const list = "for fd in 0 3 4 5 6; do [ -e /proc/self/fd/$fd ] && echo $fd; done; cat; cat <&5";
    const fds = { 0: { data: "in\n" }, 5: { data: Buffer.from("five\n") } };
    expect((await host.run(sh(list), { fds })).stdout).toBe("0\n5\nin\nfive\n");
  });

  it("with core's filter of system calls, as a plan hands it over", async () => {
    const { stdout } = await host.run(sh("wc -c <&4"), { fds: { 4: "filter" } });
    expect(Number(stdout) % 8).toBe(0);
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  it("that reads nothing of what it is handed, and says how it ended", async () => {
    const fds = { 0: { data: "x".repeat(1_000_000) } };
    expect(await host.run(sh("echo bad >&2; exit 3"), { fds })).toEqual({
      exitCode: 3,
      stdout: "",
      stderr: "bad\n",
    });
  });
});
