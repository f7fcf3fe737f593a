import { describe, expect, it } from "vitest";
import { ERROR_CODES, isSandboxError, SandboxError } from "../../src/index.js";

describe("SandboxError", () => {
  it("is known by its shape, since the class may exist twice in a process", () => {
    const copy = Object.assign(new Error("x"), { name: "SandboxError", code: "PATH_INVALID" });
    expect([isSandboxError(copy), isSandboxError(new SandboxError("PATH_INVALID", "x"))]).toEqual([
      true,
      true,
    ]);
  });

  it("is not taken for one with an unknown code, or without", () => {
    const unknown = Object.assign(new Error("x"), { name: "SandboxError", code: "ENOENT" });
    const others = [
      unknown,
      new Error("x"),
      { name: "SandboxError", code: "PATH_INVALID" },
      "x",
      null,
    ];
    expect(others.filter(isSandboxError)).toEqual([]);
  });

  it("carries the error underneath, where there is one", () => {
    const cause = new Error("underneath");
    expect(new SandboxError("LAUNCH_FAILED", "x", { cause }).cause).toBe(cause);
    expect("cause" in new SandboxError("LAUNCH_FAILED", "x")).toBe(false);
  });

  it("has no code twice", () => {
    expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length);
  });
});
