import { chmodSync, existsSync, linkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ResolvedConfig, realHost } from "../../src/index.backend.js";
import { type ConfigInput, needs, parseConfig } from "../../src/index.js";
import { withNotes } from "../../src/paths/aliases.js";
import { recheckPaths, resolvePaths } from "../../src/paths/resolve-paths.js";
import { type Tree, temporary } from "../support/temporary.js";
import { thrown } from "../support/thrown.js";

const TREE = {
  "data/deep": {},
  "data/file": "x",
  proc: {},
  dev: {},
  tmp: {},
  link: { link: "/data" },
  up: { link: "/" },
  loop: { link: "loop" },
  etc: { link: "/etc" },
} satisfies Tree;

function settled(config: ConfigInput, root: string = temporary(TREE)): ResolvedConfig {
  return resolvePaths(parseConfig({ root, ...onlyOwn(config), ...config }), realHost());
}

/** The roots of these tests have no targets for the default mounts. */
function onlyOwn({ mounts }: ConfigInput): ConfigInput {
  return mounts === undefined ? {} : { defaultMounts: false };
}

const BAD: readonly (readonly [what: string, config: ConfigInput, path: string])[] = [
  ["a missing root", { root: "/no/such" }, "root"],
  ["a root that is a file", { root: "/etc/passwd" }, "root"],
  [
    "a target that is the root itself",
    { mounts: [{ type: "tmpfs", target: "/up" }] },
    "mounts[0].target",
  ],
  ["a missing target", { mounts: [{ type: "tmpfs", target: "/none" }] }, "mounts[0].target"],
  [
    "a target in a missing directory",
    { mounts: [{ type: "tmpfs", target: "/none/deep" }] },
    "mounts[0].target",
  ],
  ["a tmpfs on a file", { mounts: [{ type: "tmpfs", target: "/data/file" }] }, "mounts[0].target"],
  [
    "a directory on a file",
    { mounts: [{ type: "bind", source: "/", target: "/data/file" }] },
    "mounts[0].target",
  ],
  [
    "a file on a directory",
    { mounts: [{ type: "bind", source: "/etc/passwd", target: "/data" }] },
    "mounts[0].target",
  ],
  [
    "a missing source",
    { mounts: [{ type: "bind", source: "/no/such", target: "/data" }] },
    "mounts[0].source",
  ],
  ["a target that is a loop", { mounts: [{ type: "tmpfs", target: "/loop" }] }, "mounts[0].target"],
  [
    "a target that leads to a directory of the host only",
    { mounts: [{ type: "tmpfs", target: "/etc" }] },
    "mounts[0].target",
  ],
  [
    "a target that is a symlink of a dev mount",
    {
      mounts: [
        { type: "dev", target: "/tmp" },
        { type: "bind", source: "/dev/null", target: "/tmp/ptmx" },
      ],
    },
    "mounts[1].target",
  ],
  [
    "a target in a proc mount",
    {
      mounts: [
        { type: "proc", target: "/proc" },
        { type: "tmpfs", target: "/proc/x" },
      ],
    },
    "mounts[1].target",
  ],
  [
    "two targets that lead to one path",
    {
      mounts: [
        { type: "tmpfs", target: "/data" },
        { type: "tmpfs", target: "/link" },
      ],
    },
    "mounts[1].target",
  ],
  ["a missing writable path", { writable: ["/none"], mounts: [] }, "writable[0]"],
  [
    "a writable path that is a read-only mount",
    {
      writable: ["/data"],
      mounts: [{ type: "bind", source: "/", target: "/data", readOnly: true }],
    },
    "writable[0]",
  ],
  ["a missing hidden path", { hidden: ["/data", "/none"], mounts: [] }, "hidden[1]"],
  [
    "a hidden path that is a mount",
    { hidden: ["/data"], mounts: [{ type: "tmpfs", target: "/data" }] },
    "hidden[0]",
  ],
  ["a missing cwd", { cwd: "/none", mounts: [] }, "cwd"],
  ["a cwd that is a file", { cwd: "/data/file", mounts: [] }, "cwd"],
  ["a cwd that is missing in a tmpfs", { cwd: "/tmp/none" }, "cwd"],
];

describe("settle", () => {
  it.each(BAD)("refuses %s and names the field", async (_, config, path) => {
    const error = await thrown(() => settled(config));
    expect([error.code, error.path?.replace(/\.target$/, "")]).toEqual([
      "PATH_INVALID",
      path.replace(/\.target$/, ""),
    ]);
  });

  it("makes nothing, whatever is missing", async () => {
    const root = temporary(TREE);
    await thrown(() => settled({ mounts: [{ type: "tmpfs", target: "/none/deep" }] }, root));
    expect(existsSync(join(root, "none"))).toBe(false);
  });

  it("gives canonical targets, a directory before what lies in it", () => {
    const source = temporary({ inner: {} });
    const { mounts } = settled({
      mounts: [
        { type: "tmpfs", target: "/data/deep/inner" },
        { type: "bind", source, target: "/link/deep" },
      ],
    });
    expect(mounts.map(({ target, path, create }) => [target, path, create])).toEqual([
      ["/data/deep", "mounts[1]", false],
      ["/data/deep/inner", "mounts[0]", false],
    ]);
  });

  it("has a mount point made in a tmpfs and in nothing else", () => {
    const { mounts } = settled({
      mounts: [
        { type: "bind", source: "/etc/passwd", target: "/tmp/made/file" },
        { type: "tmpfs", target: "/tmp" },
        { type: "proc", target: "/proc" },
      ],
    });
    expect(mounts.filter(({ create }) => create).map(({ target }) => target)).toEqual([
      "/tmp/made/file",
    ]);
  });

  it("makes writable paths writable binds of the root's own files", () => {
    const root = temporary(TREE);
    const { mounts, rootReadOnly } = settled(
      { writable: ["/link/file", "/data"], mounts: [] },
      root,
    );
    const at = { type: "bind", readOnly: false, create: false };
    expect(mounts).toEqual([
      {
        ...at,
        target: "/data",
        source: join(root, "data"),
        kind: "directory",
        path: "writable[1]",
      },
      {
        ...at,
        target: "/data/file",
        source: join(root, "data/file"),
        kind: "file",
        path: "writable[0]",
      },
    ]);
    expect(rootReadOnly).toBe(true);
  });

  it.each([["all"], [["/"]]] as const)("leaves the root writable with writable %j", (writable) => {
    const { rootReadOnly, mounts } = settled({ writable, mounts: [] });
    expect([rootReadOnly, mounts]).toEqual([false, []]);
  });

  it("takes the real path of the root and of a source", () => {
    const root = temporary(TREE);
    const place = temporary({ root: { link: root }, data: { link: join(root, "data") } });
    const { root: real, mounts } = settled({
      root: join(place, "root"),
      mounts: [{ type: "bind", source: join(place, "data"), target: "/tmp" }],
    });
    expect([real, mounts[0]]).toEqual([
      root,
      expect.objectContaining({ source: join(root, "data") }),
    ]);
  });

  it("sets PWD to the directory that cwd leads to", () => {
    const { cwd, env } = settled({ cwd: "/link", env: { A: "b" } });
    expect([cwd, env]).toEqual(["/data", { A: "b", PWD: "/data" }]);
  });

  it("names a user only where it is not the caller", () => {
    const { uid, gid } = realHost();
    expect(settled({ user: { uid, gid } }).user).toBeUndefined();
    expect(settled({ user: { uid: uid + 1, gid } }).user).toEqual({ uid: uid + 1, gid });
  });

  it("names the host sandbox where it has a name of its own and none is given", () => {
    expect([settled({}).hostname, settled({ isolate: [] }).hostname]).toEqual([
      "sandbox",
      undefined,
    ]);
  });
});

describe("directories above a protected path", () => {
  const above = { "data/a/b/c": {}, "data/a/b/file": "x", tmp: {} } satisfies Tree;
  const readOnly = { type: "bind", source: "/", target: "/data/a/b/c", readOnly: true } as const;
  const targets = (config: ConfigInput, root = temporary(above)): string[] =>
    settled({ mounts: [], ...config }, root).mounts.map(({ target }) => target);

  it("are bound onto themselves up to the writable mount, once, for the field that asks first", () => {
    const root = temporary(above);
    const config = { writable: ["/data"], hidden: ["/data/a/b/c", "/data/a/b/file"], mounts: [] };
    const at = { type: "bind", readOnly: false, create: false, kind: "directory" };
    expect(settled(config, root).mounts.slice(1, 3)).toEqual([
      { ...at, target: "/data/a", source: join(root, "data/a"), path: "hidden[0]" },
      { ...at, target: "/data/a/b", source: join(root, "data/a/b"), path: "hidden[0]" },
    ]);
  });

  it("are bound up to the root where that is writable", () => {
    expect(targets({ writable: "all", mounts: [readOnly] })).toEqual([
      "/data",
      "/data/a",
      "/data/a/b",
      "/data/a/b/c",
    ]);
  });

  it("are left alone where they cannot be written, in a tmpfs, and above what is not protected", () => {
    const tmpfs = { type: "tmpfs", target: "/tmp" } as const;
    for (const [config, expected] of [
      [{ hidden: ["/data/a/b/c"] }, ["/data/a/b/c"]],
      [{ mounts: [tmpfs, { ...readOnly, target: "/tmp/a/b" }] }, ["/tmp", "/tmp/a/b"]],
      [{ writable: "all", mounts: [{ ...readOnly, readOnly: false }] }, ["/data/a/b/c"]],
    ] as const)
      expect(targets(config)).toEqual(expected);
  });

  it("come from the source of a bind, and in an overlay from the target itself", () => {
    const tree = temporary({ "a/b": {} });
    const [root, upper, work] = [temporary(above), temporary({}), temporary({})];
    const bind = { type: "bind", source: tree, target: "/tmp" } as const;
    const { mounts } = settled(
      {
        writable: "all",
        overlay: { upper, work },
        mounts: [bind],
        hidden: ["/tmp/a/b", "/data/a"],
      },
      root,
    );
    const sources = mounts.flatMap((mount) =>
      mount.type === "bind" ? [[mount.target, mount.source]] : [],
    );
    expect(sources).toEqual([
      ["/tmp", tree],
      ["/data", ""],
      ["/tmp/a", join(tree, "a")],
    ]);
  });

  it("are not bound in the host's /dev, which would open its devices", () => {
    expect(targets({ writable: "all", hidden: ["/dev/null"] }, "/")).toEqual(["/dev/null"]);
  });
});

describe("other ways to what is protected", () => {
  const tree = { "a/key": "x", "b/key": "x", tmp: {}, mnt: {}, file: "x" } satisfies Tree;
  const bind = (source: string, target: string, readOnly = false) =>
    ({ type: "bind", source, target, readOnly }) as const;
  const notes = (config: ConfigInput, root: string): readonly string[] => {
    const parsed = parseConfig({ root, mounts: [], defaultMounts: false, ...config });
    return withNotes(needs(parsed), resolvePaths(parsed, realHost())).flatMap(
      (need) => need.notes ?? [],
    );
  };

  it("are hidden too where a bind of a directory above shows it", () => {
    const root = temporary(tree);
    const config = { mounts: [bind(join(root, "a"), "/mnt"), bind(root, "/tmp")] };
    const { mounts } = settled({ ...config, hidden: ["/a/key"] }, root);
    const masks = mounts.filter(({ type }) => type === "mask");
    expect(masks.map(({ target, path }) => `${target} ${path}`).sort()).toEqual([
      "/a/key hidden[0]",
      "/mnt/key hidden[0]",
      "/tmp/a/key hidden[0]",
    ]);
    expect(notes({ ...config, hidden: ["/a/key"] }, root)).toEqual([]);
  });

  it("are noted where the very thing is bound to another path", () => {
    const root = temporary(tree);
    const config = { mounts: [bind(join(root, "a/key"), "/file")], hidden: ["/a/key"] };
    expect(notes(config, root)).toEqual(['hidden[0] can be read as "/file"']);
  });

  it("are noted where a read-only bind can be written to through another mount", () => {
    const root = temporary(tree);
    const mounts = [bind(join(root, "a"), "/mnt", true)];
    expect(notes({ mounts, writable: ["/a"] }, root)).toEqual([
      'mounts[0] can be written to as "/a"',
    ]);
    expect(notes({ mounts }, root)).toEqual([]);
    expect(notes({ mounts: [bind(join(root, "a"), "/a", true)], writable: "all" }, root)).toEqual(
      [],
    );
  });

  it("are noted for a file with more than one link, and not for others", () => {
    const root = temporary(tree);
    linkSync(join(root, "a/key"), join(root, "b/link"));
    const links = "has 2 hard links: it can be";
    const inside = "by one that is visible inside";
    expect(notes({ hidden: ["/b/key", "/a/key", "/mnt"] }, root)).toEqual([
      `hidden[1] ${links} read ${inside}`,
    ]);
    expect(notes({ mounts: [bind(join(root, "a/key"), "/file", true)] }, root)).toEqual([
      `mounts[0] ${links} written to ${inside}`,
    ]);
  });
});

describe("assertSettled", () => {
  it("is content while nothing has changed", () => {
    const config = settled({ writable: ["/data"], hidden: ["/data/file"] });
    expect(() => recheckPaths(config)).not.toThrow();
  });

  it.each(["a symlink", "nothing", "a file"])(
    "refuses a mount point in whose place there is %s now",
    async (what) => {
      const root = temporary(TREE);
      const config = settled({ mounts: [{ type: "tmpfs", target: "/data/deep" }] }, root);
      if (what === "a file") renameSync(join(root, "data/file"), join(root, "data/other"));
      rmSync(join(root, "data/deep"), { recursive: true });
      if (what === "a symlink") symlinkSync("/tmp", join(root, "data/deep"));
      if (what === "a file") renameSync(join(root, "data/other"), join(root, "data/deep"));
      const error = await thrown(() => recheckPaths(config));
      expect([error.code, error.path]).toEqual(["PATH_INVALID", "mounts[0]"]);
    },
  );

  it("refuses a source that leads elsewhere now", async () => {
    const place = temporary({ source: {}, other: {} });
    const source = join(place, "source");
    const config = settled({ mounts: [{ type: "bind", source, target: "/data" }] });
    rmSync(source, { recursive: true });
    symlinkSync("other", source);
    expect((await thrown(() => recheckPaths(config))).path).toBe("mounts[0]");
  });

  it.skipIf(process.geteuid?.() === 0)(
    "names a root that may not be entered (skipped for root, who may)",
    async () => {
      const root = temporary(TREE);
      chmodSync(root, 0o600);
      try {
        const error = await thrown(() => settled({}, root));
        const shown = JSON.stringify(root);
        expect([error.path, error.message]).toEqual([
          "root",
          `root: ${shown} may not be entered by this user: EACCES`,
        ]);
      } finally {
        chmodSync(root, 0o700);
      }
    },
  );

  it("says that a path does not exist where nothing is below the tmpfs that covers it", async () => {
    const messages = ["/tmp/none", "/tmp/some"].map(async (cwd) =>
      thrown(() => settled({ cwd }, temporary({ ...TREE, "tmp/some": {} }))),
    );
    const [none, some] = await Promise.all(messages);
    expect([none?.message, some?.message]).toEqual([
      expect.stringMatching(/^cwd: "\/tmp\/none" does not exist in the root /),
      'cwd: "/tmp/some" is covered by the tmpfs on /tmp',
    ]);
  });

  it("says of a path that is to be hidden, and is covered, that it need not be", async () => {
    const tree = temporary({ ...TREE, "tmp/some": {} });
    expect(await thrown(() => settled({ hidden: ["/tmp/some"] }, tree))).toMatchObject({
      message: 'hidden[0]: "/tmp/some" is covered by the tmpfs on /tmp',
      hint: "Nothing that lies there on the host can be seen inside as it is: leave it out.",
    });
  });

  it("refuses a root that is gone", async () => {
    const root = temporary(TREE);
    const config = settled({}, root);
    renameSync(root, `${root}.gone`);
    try {
      expect((await thrown(() => recheckPaths(config))).path).toBe("root");
    } finally {
      renameSync(`${root}.gone`, root);
    }
  });
});

describe("inheritEnv", () => {
  it("takes variables only, and nothing that every object has", () => {
    const { env } = settled({ inheritEnv: ["toString", "constructor"], env: {} });
    expect(Object.keys(env)).toEqual(["PWD"]);
  });
});
