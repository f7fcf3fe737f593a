import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ResolvedMount } from "../../src/index.backend.js";
import { locate, type View } from "../../src/paths/view.js";
import { type Tree, temporary } from "../support/temporary.js";

const base = { path: "mounts[0]", create: false } as const;

function view(tree: Tree, mounts: readonly ResolvedMount[] = []): View {
  return { root: temporary(tree), mounts: new Map(mounts.map((mount) => [mount.target, mount])) };
}

/** Where a path leads, with the root taken off the host path. */
function lead(at: View, path: string, under = false): unknown[] {
  const { path: inside, host, kind } = locate(at, path, under);
  return [inside, host?.replace(at.root, "ROOT"), kind];
}

describe("locate", () => {
  it("looks again where a symlink has just been replaced", () => {
    const at = view({ "real/file": "x", racy: { link: "real" } });
    const script = 'cd "$1"; while :; do rm -f racy; mkdir racy; rmdir racy; ln -s real racy; done';
    const racer = spawn("sh", ["-c", script, "sh", at.root], { stdio: "ignore" });
    onTestFinished(async () => {
      racer.kill("SIGKILL");
      await once(racer, "exit");
    });
    const kinds = new Set<string>();
    for (let count = 0; count < 20_000; count += 1) kinds.add(locate(at, "/racy/file").kind);
    expect([...kinds].filter((kind) => !["file", "missing"].includes(kind))).toEqual([]);
  });

  it("names a file of the host's root, bound anywhere, by its own path", () => {
    const at = view({}, [
      { ...base, type: "bind", kind: "directory", source: "/", target: "/mnt", readOnly: true },
    ]);
    for (const [path, host] of [
      ["/mnt/usr/bin", "/usr/bin"],
      ["/mnt", "/"],
    ] as const)
      expect(locate(at, path)).toEqual({ path, host, kind: "directory" });
  });

  const tree = {
    "a/b/file": "x",
    "a/up": { link: "../../../../a/b" },
    absolute: { link: "/a/b" },
    host: { link: "/etc" },
    "loop-1": { link: "/loop-2" },
    "loop-2": { link: "loop-1" },
    self: { link: "/proc/self/root/etc" },
    old: { link: "/oldroot/etc" },
    dot: { link: "./a/./b/.." },
    dangling: { link: "a/none" },
    "to-file": { link: "a/b/file" },
  };

  it.each([
    ["/", ["/", "ROOT/", "directory"]],
    ["/a/b", ["/a/b", "ROOT/a/b", "directory"]],
    ["/a/b/file", ["/a/b/file", "ROOT/a/b/file", "file"]],
    ["/absolute/file", ["/a/b/file", "ROOT/a/b/file", "file"]],
    ["/a/up/file", ["/a/b/file", "ROOT/a/b/file", "file"]],
    ["/dot/b", ["/a/b", "ROOT/a/b", "directory"]],
    ["/to-file", ["/a/b/file", "ROOT/a/b/file", "file"]],
    ["/host", ["/etc", "ROOT/etc", "missing"]],
    ["/host/passwd", ["/etc/passwd", "ROOT/etc", "missing"]],
    ["/self", ["/proc/self/root/etc", "ROOT/proc", "missing"]],
    ["/old", ["/oldroot/etc", "ROOT/oldroot", "missing"]],
    ["/dangling", ["/a/none", "ROOT/a/none", "missing"]],
    ["/a/none/deep", ["/a/none/deep", "ROOT/a/none", "missing"]],
    ["/a/b/file/deep", ["/a/b/file/deep", "ROOT/a/b/file", "missing"]],
  ])("resolves %s inside the root", (path, expected) => {
    expect(lead(view(tree), path)).toEqual(expected);
  });

  it.each(["/loop-1", "/loop-1/x"])("gives up on a loop of symlinks: %s", (path) => {
    expect(() => locate(view(tree), path)).toThrow("too many symlinks");
  });

  it("lets `..` of a symlink stop at the root", () => {
    expect(lead(view({ etc: {}, up: { link: "../../../../../../etc" } }), "/up")).toEqual([
      "/etc",
      "ROOT/etc",
      "directory",
    ]);
  });

  it("leads into the source of a bind, and follows its symlinks inside the root", () => {
    const source = temporary({ "inner/file": "x", out: { link: "/a" } });
    const at = view({ "a/b": {}, mnt: {} }, [
      { ...base, type: "bind", target: "/mnt", source, readOnly: false, kind: "directory" },
    ]);
    expect(lead(at, "/mnt/inner/file")).toEqual([
      "/mnt/inner/file",
      join(source, "inner/file"),
      "file",
    ]);
    expect(lead(at, "/mnt/out/b")).toEqual(["/a/b", "ROOT/a/b", "directory"]);
  });

  it("knows what is mounted on a path, and what is under it", () => {
    const source = temporary();
    const at = view({ mnt: "a file" }, [
      { ...base, type: "bind", target: "/mnt", source, readOnly: false, kind: "directory" },
    ]);
    expect(lead(at, "/mnt")).toEqual(["/mnt", source, "directory"]);
    expect(lead(at, "/mnt", true)).toEqual(["/mnt", "ROOT/mnt", "file"]);
  });

  it("finds nothing but memory in a tmpfs, whatever the root has there", () => {
    const at = view({ "tmp/evil": { link: "/etc" } }, [{ ...base, type: "tmpfs", target: "/tmp" }]);
    expect(lead(at, "/tmp/evil")).toEqual(["/tmp/evil", undefined, "memory"]);
    expect(lead(at, "/tmp/new/deep")).toEqual(["/tmp/new/deep", undefined, "memory"]);
    expect(lead(at, "/tmp")).toEqual(["/tmp", undefined, "directory"]);
  });
});
