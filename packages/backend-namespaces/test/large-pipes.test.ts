import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { createPool, createSandbox } from "@sandboxlib/core";
import { expect, it } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

// Node reads 64 KiB ahead, and a pipe as the kernel makes it holds as much.
const SCRIPT = "dd if=/dev/zero bs=1024 count=200 2>&-; echo written >&2";
const ARGV = ["sh", "-c", SCRIPT];

it.skipIf(skip)(
  `a program can write 200 KiB that nobody reads yet, in a run, a session and a pool${note}`,
  async () => {
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    await using session = await sandbox.openSession();
    await using pool = await createPool({ cwd: "/" }, { backend: namespaces, size: 1 });
    await pool.ready();
    for (const way of [sandbox, session, pool]) {
      const { stdout, stderr, result } = await way.spawn(ARGV);
      stdout?.pause();
      const [said] = (await once(stderr ?? process, "data")) as [Buffer];
      expect(said.toString()).toBe("written\n");
      expect(stdout === null ? undefined : (await buffer(stdout)).length).toBe(200 * 1024);
      expect((await result).exitCode).toBe(0);
    }
  },
);
