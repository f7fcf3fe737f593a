import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openImage, openImageSandbox } from "../src/index.js";
import { backends } from "./support/backends.js";
import { temporary } from "./support/place.js";
import { lacking, tool } from "./support/root.js";

const MINUTES = 10 * 60_000;
const PROGRAM = '#include <stdio.h>\nint main(void) { puts("compiled inside"); return 3; }\n';
const why =
  process.getuid?.() === 0 ? lacking("mmdebstrap") : " (skipped: mmdebstrap is run as root)";
const tried = await backends();

describe.skipIf(why !== "")(`a Debian by mmdebstrap${why}`, () => {
  it(
    "compiles and runs a program, on every backend",
    async () => {
      const directory = temporary();
      const file = join(directory, "debian.tar");
      const options = ["--quiet", "--variant=minbase", "--include=gcc,libc6-dev"];
      tool("mmdebstrap", ...options, "bookworm", file);
      const image = await openImage(file);
      expect(image.notes.join()).toMatch(
        /left out device nodes.*took away setuid and setgid bits/s,
      );
      writeFileSync(join(directory, "hello.c"), PROGRAM);
      const bind = {
        type: "bind",
        source: join(directory, "hello.c"),
        target: "/src/hello.c",
      } as const;
      const mounts = [bind, { type: "tmpfs", target: "/tmp" }] as const;
      for (const { backend, prefer, why: skipped } of tried) {
        if (skipped !== "") continue;
        const noMemory = !backend.capabilities.has("mount.tmpfs");
        const config = { ...image.config, mounts: noMemory ? [bind] : mounts };
        const run = await openImageSandbox(image, config, { backend, prefer });
        const script = "gcc -o /usr/local/bin/hello /src/hello.c && hello";
        const { stdout, stderr, exitCode } = await run.sandbox.run(["/bin/sh", "-c", script]);
        const said = [stdout, stderr].map((bytes) => Buffer.from(bytes ?? []).toString());
        expect([backend.name, said, exitCode]).toEqual([
          backend.name,
          ["compiled inside\n", ""],
          3,
        ]);
        await run[Symbol.asyncDispose]();
      }
    },
    MINUTES,
  );
});
