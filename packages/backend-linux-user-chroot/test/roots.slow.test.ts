import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { OWN_BASE } from "@sandboxlib/core/backend";
import { afterEach, beforeEach, expect, it } from "vitest";
import { describeBoth, fillRoot, sh, smallRoot } from "./fixture.js";

/** Writes to each path, and prints those where it worked. */
const CREATE = 'for p in "$@"; do (echo new > "$p") 2>&- && echo "$p"; done; exit 0';
const ODD = [
  "a b",
  "it's",
  'say "x"',
  "new\nline",
  "-dash",
  "--mount-bind",
  "$HOME",
  "back\\slash",
  "ü",
];

/** Of this process, and not of the kit's, which may run at the same time. */
const isOwn = (name: string): boolean => name.startsWith(`${process.pid}-`);

await describeBoth("roots", (backend) => {
  let place: ReturnType<typeof smallRoot>;
  beforeEach(() => {
    place = smallRoot();
  });
  afterEach(() => place.remove());

  it("one of three thousand siblings is writable, and nothing beside it, whenever it was made", async () => {
    const { root } = place;
    for (let index = 0; index < 3000; index += 1) mkdirSync(join(root, "mnt", `n${index}`));
    const paths = ["/mnt/n17/x", "/mnt/n1/x", "/mnt/n170/x", "/mnt/n2999/x", "/mnt/x", "/x"];
    const writable = ["/mnt/n17"];
    expect((await sh(backend, [CREATE, ...paths], { root, writable })).out).toBe("/mnt/n17/x\n");
    const script =
      "until [ -e /mnt/late ]; do sleep 1; done; (echo x > /mnt/late/x) 2>&- && echo bad; exit 0";
    const running = sh(backend, [script], { root, writable });
    setTimeout(() => mkdirSync(join(root, "mnt/late")), 500);
    expect((await running).out).toBe("");
  });

  it("four hundred listed paths are writable, and a list that the tool cannot take is refused", async () => {
    const { root } = place;
    const all = Array.from({ length: 3000 }, (_, index) => `/mnt/n${index}`);
    for (const path of all) mkdirSync(join(root, path));
    const writable = all.slice(0, 400);
    const paths = all.slice(390, 410).map((path) => `${path}/x`);
    const { out } = await sh(backend, [CREATE, ...paths], { root, writable });
    expect(out).toBe(
      paths
        .slice(0, 10)
        .map((path) => `${path}\n`)
        .join(""),
    );
    const refused = sh(backend, [":"], { root, writable: all });
    await expect(refused).rejects.toMatchObject({
      code: "CAPABILITY_UNSUPPORTED",
      path: "writable",
    });
  });

  it("a writable path is taken as it is written, whatever characters it holds", async () => {
    const { root } = place;
    for (const name of ODD) mkdirSync(join(root, "data", name));
    const writable = ODD.map((name) => `/data/${name}`);
    const paths = writable.map((path) => `${path}/x`);
    const { out } = await sh(backend, [CREATE, ...paths, "/data/x"], { root, writable });
    expect(out).toBe(paths.map((path) => `${path}\n`).join(""));
  });

  it("/data does not make /database writable, nor the other way round", async () => {
    const { root } = place;
    for (const name of ["data", "database"]) {
      const { out } = await sh(backend, [CREATE, "/data/x", "/database/x"], {
        root,
        writable: [`/${name}`],
      });
      expect(out).toBe(`/${name}/x\n`);
      rmSync(join(root, name, "x"));
    }
  });

  it("a mount target that is a symlink is followed inside the root, not on the host", async () => {
    const { root, directory } = place;
    const [source, outside] = [join(directory, "source"), join(directory, "outside")];
    for (const path of [source, outside, join(root, outside)]) mkdirSync(path, { recursive: true });
    writeFileSync(join(source, "file"), "");
    symlinkSync(outside, join(root, "link"));
    const mounts = [{ type: "bind", source, target: "/link" }] as const;
    const { out } = await sh(backend, ["ls /link; ls $1", outside], { root, mounts });
    expect(out).toBe("file\nfile\n");
    expect(readdirSync(outside)).toEqual([]);
  });

  it.skipIf(process.getuid?.() !== 0)(
    "a root on a read-only file system stays read-only",
    async () => {
      const at = join(place.directory, "tmpfs");
      mkdirSync(at);
      const mount = (...args: string[]) => expect(spawnSync("mount", args).status).toBe(0);
      mount("-t", "tmpfs", "tmpfs", at);
      try {
        fillRoot(at);
        mount("-o", "remount,ro", at);
        const { out } = await sh(backend, [CREATE, "/x", "/data/x"], { root: at, writable: "all" });
        expect(out).toBe("");
        expect(() => writeFileSync(join(at, "x"), "")).toThrow("EROFS");
      } finally {
        spawnSync("umount", [at]);
      }
    },
  );

  it("a directory fd of a bind is not handed on, however many there are", async () => {
    const { root, directory } = place;
    const mounts = Array.from({ length: 12 }, (_, index) => {
      for (const path of [join(directory, `s${index}`), join(root, "mnt", `t${index}`)])
        mkdirSync(path);
      return {
        type: "bind",
        source: join(directory, `s${index}`),
        target: `/mnt/t${index}`,
      } as const;
    });
    const proc = { type: "proc", target: "/proc" } as const;
    const script =
      'for p in $$ 1; do for fd in /proc/$p/fd/*; do readlink "$fd"; done; done; exit 0';
    const { out } = await sh(backend, [script], {
      root,
      mounts: [...mounts, proc],
      isolate: ["pid"],
    });
    expect(out).not.toContain(directory);
  });

  it("a root without a shell or without env says so", async () => {
    const { root } = place;
    rmSync(join(root, "bin/env"));
    await expect(sh(backend, [":"], { root })).rejects.toMatchObject({
      code: "LAUNCH_FAILED",
      message: expect.stringContaining("/bin/env"),
    });
    symlinkSync("busybox", join(root, "bin/env"));
    rmSync(join(root, "bin/sh"));
    const command = ["/bin/busybox", "true"];
    const { run } = await import("@sandboxlib/core");
    const base = {
      mounts: [],
      network: "host",
      isolate: [],
      writable: "all",
      command,
      root,
    } as const;
    await expect(run(base, { backend })).rejects.toMatchObject({
      code: "LAUNCH_FAILED",
      hint: expect.stringContaining("/bin/sh"),
    });
  });

  it("a root whose shell lies, or that has none, is not asked how its program ended", async () => {
    const { root } = place;
    rmSync(join(root, "bin/env"));
    rmSync(join(root, "bin/sh"));
    writeFileSync(join(root, "bin/sh"), "#!/bin/busybox true\n", { mode: 0o755 });
    const { run } = await import("@sandboxlib/core");
    const made = (mounts: readonly { type: "proc"; target: string }[], ...command: string[]) =>
      run(
        { network: "host", isolate: [], root, mounts, defaultMounts: false, command },
        { backend },
      );
    const proc = [{ type: "proc", target: "/proc" }] as const;
    expect(await made(proc, "/bin/busybox", "false")).toMatchObject({
      outcome: "exited",
      exitCode: 1,
    });
    rmSync(join(root, "bin/sh"));
    const { outcome, usage } = await made(proc, "/bin/busybox", "true");
    expect([outcome, (usage.peakMemory ?? 0) > 0]).toEqual(["exited", true]);
    await expect(made(proc, "/bin/none")).rejects.toMatchObject({ code: "COMMAND_NOT_FOUND" });
    await expect(made([], "/bin/busybox", "true")).rejects.toMatchObject({ code: "LAUNCH_FAILED" });
  });

  it("a tmpfs is empty in each run, and what was written there is gone with it", async () => {
    const { root } = place;
    const mounts = [{ type: "tmpfs", target: "/mnt" }] as const;
    const script =
      "ls -A /mnt; stat -c %a /mnt; echo x > /mnt/x; mkdir -p /mnt/a/b; chmod 0 /mnt/a; cat /mnt/x; sleep 1";
    const before = existsSync(OWN_BASE) ? readdirSync(OWN_BASE).filter(isOwn) : [];
    const results = await Promise.all([1, 2, 3].map(() => sh(backend, [script], { root, mounts })));
    for (const { out, enforcement } of results) {
      expect(out).toBe("1777\nx\n");
      const { mechanism, known } =
        enforcement.enforced.find(({ capability }) => capability === "mount.tmpfs") ?? {};
      expect([known, mechanism?.startsWith("a directory of the run's own on a disk")]).toEqual([
        "verified",
        true,
      ]);
    }
    expect(existsSync(OWN_BASE) ? readdirSync(OWN_BASE).filter(isOwn) : []).toEqual(before);
    expect(readdirSync(join(root, "mnt"))).toEqual([]);
  });

  it("a size of a tmpfs is refused, as a directory has none", async () => {
    const mounts = [{ type: "tmpfs", target: "/mnt", size: 65_536 }] as const;
    await expect(sh(backend, [":"], { root: place.root, mounts })).rejects.toMatchObject({
      code: "CAPABILITY_UNSUPPORTED",
      path: "mounts[0].size",
    });
  });

  it("nothing is left in the root that the program has not written", async () => {
    const { root } = place;
    await sh(backend, ["echo x > /data/x"], { root, writable: ["/data"] });
    expect(readdirSync(root).sort()).toEqual(["bin", "data", "database", "etc", "mnt", "proc"]);
    expect(readFileSync(join(root, "data/x"), "utf8")).toBe("x\n");
    expect(existsSync(join(root, "database/x"))).toBe(false);
  });
});
