import { readdirSync, readFileSync } from "node:fs";
import { createPool, createSandbox, textOf } from "@sandboxlib/core";
import { describe, expect, it } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

/** The processes that this one has started and not yet reaped. */
function children(): string[] {
  return readdirSync("/proc/self/task")
    .flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" "))
    .filter(Boolean);
}

describe.skipIf(skip)(`the abort of the wait for a pool${note}`, () => {
  it("rejects with the signal's reason, at once where that came before, and ends nothing", async () => {
    await using pool = await createPool({ cwd: "/" }, { backend: namespaces, size: 2 });
    const controller = new AbortController();
    const waiting = pool.ready({ signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(pool.ready({ signal: controller.signal })).rejects.toThrow("enough");
    await expect(pool.ready({ sginal: 1 } as never)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      hint: "Did you mean `signal`?",
    });
    await pool.ready();
    expect(textOf(await pool.run(["echo", "still here"]))).toBe("still here\n");
  });
});

describe.skipIf(skip)(`the abort of a session that is being opened${note}`, () => {
  it("rejects with the signal's reason, and leaves no process", async () => {
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    // Whatever is started once for all runs is there from now on.
    await (await sandbox.openSession()).close();
    const before = children();
    const controller = new AbortController();
    const opening = sandbox.openSession({ signal: controller.signal });
    opening.catch(() => undefined);
    expect(children().length).toBeGreaterThan(before.length);
    controller.abort(new Error("enough"));
    await expect(opening).rejects.toThrow("enough");
    await expect.poll(children).toEqual(before);
  });

  it("starts nothing when the signal has been aborted before", async () => {
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    const before = children();
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(sandbox.openSession({ signal })).rejects.toThrow("enough");
    expect(children()).toEqual(before);
  });

  it("does nothing more to the session once it is there", async () => {
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    const controller = new AbortController();
    await using session = await sandbox.openSession({ signal: controller.signal });
    controller.abort();
    expect(textOf(await session.run(["echo", "still here"]))).toBe("still here\n");
  });
});
