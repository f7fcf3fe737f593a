import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ResolvedConfig } from "../../src/backend/resolved-config.js";
import { openInputFile, openOutputFile } from "../../src/run/open-file.js";
import { temporary } from "../support/temporary.js";
import { thrown } from "../support/thrown.js";

/** A directory `w` that a program can write to, beside one that it cannot. */
function directories() {
  const base = temporary();
  const [w, own] = [join(base, "w"), join(base, "own")];
  for (const directory of [w, own]) mkdirSync(directory);
  const bind = { type: "bind", source: w, target: "/w", readOnly: false } as const;
  const mounts = [{ ...bind, path: "mounts[0]", create: false, kind: "directory" }] as const;
  const config = { root: "/", rootReadOnly: true, mounts } as unknown as ResolvedConfig;
  return { base, w, own, config };
}

const linux = process.platform === "linux";

describe.skipIf(!linux)("a file for an output", () => {
  it("is made or emptied, also where a program could have put it", async () => {
    const { w, own, config } = directories();
    for (const directory of [w, own]) {
      const path = join(directory, "file");
      writeFileSync(path, "before");
      closeSync(openOutputFile("stdout", path, config));
      expect(readFileSync(path, "utf8")).toBe("");
      closeSync(openOutputFile("stdout", join(directory, "new"), config));
    }
  });

  it("is no symlink, wherever it lies", async () => {
    const { w, own, config } = directories();
    for (const directory of [w, own]) {
      const path = join(directory, "link");
      symlinkSync(join(own, "made"), path);
      const error = await thrown(() => openOutputFile("stdout", path, config));
      expect(error).toMatchObject({ code: "PATH_INVALID", path: "stdout" });
      expect(error?.hint).toBeDefined();
    }
    expect(statSync(join(own, "made"), { throwIfNoEntry: false })).toBeUndefined();
  });

  it("is reached by symlinks of the caller's, and by none that a program could have made", async () => {
    const { base, w, own, config } = directories();
    symlinkSync("own/../own", join(base, "link"));
    closeSync(openOutputFile("stdout", join(base, "link/made"), config));
    expect(statSync(join(own, "made")).size).toBe(0);
    symlinkSync(own, join(w, "planted"));
    // The caller's own symlink leads to a place where others are.
    symlinkSync("w/planted", join(base, "on"));
    for (const path of [join(w, "planted/new"), join(base, "on/new")]) {
      const error = await thrown(() => openOutputFile("stdout", path, config));
      expect(error).toMatchObject({ code: "PATH_INVALID" });
    }
    expect(statSync(join(own, "new"), { throwIfNoEntry: false })).toBeUndefined();
  });

  it("and one for the input: neither waits for the other end of a FIFO", async () => {
    const { own, config } = directories();
    const path = join(own, "fifo");
    expect(spawnSync("mkfifo", [path]).status).toBe(0);
    for (const open of [openInputFile, openOutputFile])
      expect(await thrown(() => open("stdin", path, config))).toMatchObject({
        code: "LAUNCH_FAILED",
      });
  });
});

describe.skipIf(!linux)("a file for the input", () => {
  it("may be a symlink of the caller's, and none that a program could have made", async () => {
    const { w, own, config } = directories();
    writeFileSync(join(own, "file"), "secret");
    symlinkSync("file", join(own, "link"));
    const fd = openInputFile("stdin", join(own, "link"), config);
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe(join(own, "file"));
    closeSync(fd);
    symlinkSync(join(own, "file"), join(w, "planted"));
    const error = await thrown(() => openInputFile("stdin", join(w, "planted"), config));
    expect(error).toMatchObject({ code: "PATH_INVALID", path: "stdin" });
  });
});
