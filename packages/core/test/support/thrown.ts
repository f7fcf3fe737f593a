import { isSandboxError, type SandboxError } from "../../src/index.js";

/** The SandboxError that a function throws or rejects with; fails when there is none. */
export async function thrown(run: () => unknown): Promise<SandboxError> {
  try {
    await run();
  } catch (error) {
    if (isSandboxError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
