import { realpathSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/index.js";
import { thrown } from "../support/thrown.js";

const BAD: readonly (readonly [what: string, input: unknown, path: string])[] = [
  ["no object", "text", "config"],
  ["null", null, "config"],
  ["a list", [], "config"],
  ["an unknown key", { nonsense: 1 }, "nonsense"],
  ["an unknown key with an odd name", { "a b": 1 }, '["a b"]'],
  [
    "an unknown key of a mount",
    { mounts: [{ type: "proc", target: "/proc", size: 1 }] },
    "mounts[0].size",
  ],
  ["an unknown key of limits", { limits: { disks: 1 } }, "limits.disks"],
  ["an own __proto__", JSON.parse('{"__proto__": {"network": "host"}}'), "__proto__"],
  ["a __proto__ in env", JSON.parse('{"env": {"__proto__": "x"}}'), "env.__proto__"],
  ["a shell string as command", { command: "ls -l" }, "command"],
  ["an empty command", { command: [] }, "command"],
  ["a NUL byte in a command", { command: ["a\0b"] }, "command[0]"],
  ["a number in a command", { command: ["a", 1] }, "command[1]"],
  ["a relative root", { root: "root" }, "root"],
  ["an empty root", { root: "" }, "root"],
  ["`..` in the root", { root: "/a/../b" }, "root"],
  ["a NUL byte in the root", { root: "/a\0" }, "root"],
  ["an unknown word for writable", { writable: "some" }, "writable"],
  ["a relative writable path", { writable: ["/a", "b"] }, "writable[1]"],
  ["a hidden path with `..`", { hidden: ["/a/.."] }, "hidden[0]"],
  ["mounts that are no list", { mounts: "all" }, "mounts"],
  ["a mount that is no object", { mounts: ["/a:/b"] }, "mounts[0]"],
  ["a mount without a type", { mounts: [{ target: "/x" }] }, "mounts[0].type"],
  ["a mount of an unknown type", { mounts: [{ type: "nfs", target: "/x" }] }, "mounts[0].type"],
  ["a bind without a source", { mounts: [{ type: "bind", target: "/x" }] }, "mounts[0].source"],
  ["a bind without a target", { mounts: [{ type: "bind", source: "/x" }] }, "mounts[0].target"],
  [
    "a relative source",
    { mounts: [{ type: "bind", source: "x", target: "/x" }] },
    "mounts[0].source",
  ],
  [
    "a readOnly that is no boolean",
    { mounts: [{ type: "bind", source: "/x", target: "/x", readOnly: "yes" }] },
    "mounts[0].readOnly",
  ],
  ["a size of 0", { mounts: [{ type: "tmpfs", target: "/x", size: 0 }] }, "mounts[0].size"],
  [
    "a size that is no integer",
    { mounts: [{ type: "tmpfs", target: "/x", size: 1.5 }] },
    "mounts[0].size",
  ],
  [
    "a size with a unit",
    { mounts: [{ type: "tmpfs", target: "/x", size: "1m" }] },
    "mounts[0].size",
  ],
  [
    "two mounts on one target",
    {
      mounts: [
        { type: "proc", target: "/x" },
        { type: "dev", target: "/x/" },
      ],
    },
    "mounts[1].target",
  ],
  ["a word that allows nothing", { allow: ["namespaces"] }, "allow[0]"],
  [
    "user namespaces without one around them",
    { allow: ["user-namespaces"], isolate: ["pid"] },
    "allow",
  ],
  ["user namespaces beside `strict`", { allow: ["user-namespaces"], seccomp: "strict" }, "allow"],
  ["user namespaces beside no profile", { allow: ["user-namespaces"], seccomp: "none" }, "allow"],
  [
    "user namespaces beside a profile of the user's own",
    {
      allow: ["user-namespaces"],
      seccomp: { profile: { defaultAction: "SCMP_ACT_ALLOW" } },
    },
    "allow",
  ],
  ["a mount on /", { mounts: [{ type: "tmpfs", target: "/" }] }, "mounts[0].target"],
  ["a relative cwd", { cwd: "." }, "cwd"],
  ["a list as env", { env: ["A=B"] }, "env"],
  ["a number in env", { env: { A: 1 } }, "env.A"],
  ["a NUL byte in a value", { env: { A: "a\0b" } }, "env.A"],
  ["`=` in a variable name", { env: { "A=B": "c" } }, "env"],
  ["an empty variable name", { env: { "": "c" } }, "env"],
  ["PWD in env", { env: { PWD: "/x" } }, "env"],
  ["PWD in inheritEnv", { inheritEnv: ["PWD"] }, "inheritEnv[0]"],
  ["an unknown network", { network: "bridge" }, "network"],
  ["an unknown namespace", { isolate: ["mount", "time"] }, "isolate[1]"],
  ["a user without a gid", { user: { uid: 1 } }, "user.gid"],
  ["a negative uid", { user: { uid: -1, gid: 0 } }, "user.uid"],
  ["the uid that means none", { user: { uid: 4_294_967_295, gid: 0 } }, "user.uid"],
  [
    "an overlay over the host's own root",
    { overlay: { upper: "/a", work: "/b" }, writable: "all" },
    "overlay",
  ],
  [
    "an overlay that is never written",
    { root: "/r", overlay: { upper: "/a", work: "/b" } },
    "overlay",
  ],
  ["a host name with a space", { hostname: "a b" }, "hostname"],
  ["a host name of 65 letters", { hostname: "a".repeat(65) }, "hostname"],
  ["a host name without its own uts namespace", { hostname: "a", isolate: [] }, "hostname"],
  ["an unknown profile of system calls", { seccomp: "docker" }, "seccomp"],
  ["a profile that is a text", { seccomp: { profile: "default" } }, "seccomp.profile"],
  ["a profile that is not below `profile`", { seccomp: { defaultAction: "x" } }, "seccomp.profile"],
  ["a wall time of 0", { limits: { wallTime: 0 } }, "limits.wallTime"],
  [
    "a wall time that is not finite",
    { limits: { wallTime: Number.POSITIVE_INFINITY } },
    "limits.wallTime",
  ],
  ["a wall time as text", { limits: { wallTime: "10s" } }, "limits.wallTime"],
  ["swap without memory", { limits: { swap: 1 } }, "limits.swap"],
  ["a part of a processor that is too small", { limits: { cpu: 0.001 } }, "limits.cpu"],
  ["hiding /", { hidden: ["/"] }, "hidden[0]"],
  ["a path both hidden and writable", { hidden: ["/a", "/b"], writable: ["/b"] }, "hidden[1]"],
];

const FIELDS = "`configJsonSchema()` has every field.";
const PLAIN = "Write it as `{ name: value }`.";

/** Wrong inputs, with the exact message and hint. */
const WORDS: readonly (readonly [input: unknown, message: string, hint: string])[] = [
  ["ls -l", 'config: "ls -l" must be an object', FIELDS],
  [{ netwrok: "none" }, "netwrok: unknown key", "Did you mean `network`?"],
  [{ limits: { memroy: 1 } }, "limits.memroy: unknown key", "Did you mean `memory`?"],
  [
    { mounts: [{ type: "bind", source: "/", target: "/x", readonly: true }] },
    "mounts[0].readonly: unknown key",
    "Did you mean `readOnly`?",
  ],
  [{ nonsense: 1 }, "nonsense: unknown key", FIELDS],
  [{ limits: { wallTime: 0 } }, "limits.wallTime: 0 must be more than 0", FIELDS],
  [{ limits: { memory: 0 } }, "limits.memory: 0 must be at least 1", FIELDS],
  [{ limits: { memory: 1.5 } }, "limits.memory: 1.5 must be a whole number", FIELDS],
  [{ limits: { memory: 1e99 } }, "limits.memory: 1e+99 must be at most 9007199254740991", FIELDS],
  [{ limits: { memory: 10n } }, "limits.memory: 10n must be a number", FIELDS],
  [{ stop: {} }, "stop.grace: is missing: it must be a number", FIELDS],
  [{ writable: "/tmp" }, 'writable: "/tmp" must be "all" or a list', 'Write a list: `["/tmp"]`.'],
  [{ writable: 7 }, 'writable: 7 must be "all" or a list', FIELDS],
  [{ hidden: "/etc" }, 'hidden: "/etc" must be a list', 'Write a list: `["/etc"]`.'],
  [
    { allow: "user-namespaces" },
    'allow: "user-namespaces" must be a list',
    'Write a list: `["user-namespaces"]`.',
  ],
  [{ isolate: "all" }, 'isolate: "all" must be a list', FIELDS],
  [
    { command: "ls -l" },
    'command: "ls -l" must be a list',
    'Give each word by itself: `["ls", "-l"]`.',
  ],
  [Promise.resolve({}), "config: a Promise is no plain object", "Await it."],
  [new Map([["hidden", []]]), "config: a Map is no plain object", PLAIN],
  [{ limits: new Map() }, "limits: a Map is no plain object", PLAIN],
  [{ env: new Map() }, "env: a Map is no plain object", PLAIN],
  [{ user: new Date() }, "user: a Date is no plain object", PLAIN],
  [{ network: () => 1 }, 'network: a function must be "none" or "host"', FIELDS],
  [
    { env: { PWD: "/hunter" } },
    'env: "PWD" names PWD, which always is `cwd`: set `cwd` instead',
    "Of a whole environment, take `const { PWD, ...env } = process.env`, or name what the program needs in `inheritEnv`.",
  ],
];

const SECRETS: readonly unknown[] = [
  ["TOKEN=hunter"],
  "TOKEN=hunter",
  { TOKEN: "hunter\0" },
  { TOKEN: "hunter\ud800" },
  { TOKEN: ["hunter"] },
  { PWD: "hunter" },
];

describe("parseConfig", () => {
  it.each(BAD)("refuses %s and names the field", async (_, input, path) => {
    const error = await thrown(() => parseConfig(input));
    expect([error.code, error.path]).toEqual(["CONFIG_INVALID", path]);
    expect(error.message.startsWith(`${path}: `), error.message).toBe(true);
  });

  it.each(WORDS)("says of %o what is wrong, and what helps", async (input, message, hint) => {
    const error = await thrown(() => parseConfig(input));
    expect([error.message, error.hint]).toEqual([message, hint]);
  });

  it.each(SECRETS)("never shows the value of a variable: %#", async (env) => {
    const error = await thrown(() => parseConfig({ env }));
    expect(`${error.message} ${error.hint}`).not.toContain("hunter");
  });

  it("takes the environment of this process, and leaves out what is undefined", () => {
    const { PWD: _, ...env } = process.env;
    expect(parseConfig({ env }).env).toEqual(env);
    expect(parseConfig({ env: { A: "b", C: undefined } }).env).toEqual({ A: "b" });
  });

  it("gives an error in one line that holds no control character", async () => {
    const error = await thrown(() => parseConfig({ network: "\u001b[31m\nred\u0007" }));
    expect(error.message).not.toMatch(/\p{Cc}/u);
  });

  it("cuts a long value in the error", async () => {
    const error = await thrown(() => parseConfig({ network: "x".repeat(10_000) }));
    expect(error.message.length).toBeLessThan(200);
  });

  it("isolates everything where nothing is said", () => {
    expect(parseConfig({})).toEqual({
      root: "/",
      writable: [],
      hidden: [],
      mounts: [
        { type: "proc", target: "/proc" },
        { type: "dev", target: "/dev" },
        { type: "tmpfs", target: "/tmp" },
      ],
      defaultMounts: false,
      cwd: realpathSync(process.cwd()),
      env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
      inheritEnv: [],
      network: "none",
      isolate: ["mount", "pid", "ipc", "uts", "user", "cgroup"],
      allow: [],
      limits: {},
    });
  });

  it.each([undefined, "default", "build"] as const)(
    "allows user namespaces beside the profile %s",
    (seccomp) => {
      expect(parseConfig({ allow: ["user-namespaces"], seccomp }).allow).toEqual([
        "user-namespaces",
      ]);
    },
  );

  it("starts in / where the root is another", () => {
    expect(parseConfig({ root: "/srv/root" }).cwd).toBe("/");
  });

  it("tells an empty list from an absent one", () => {
    const empty = parseConfig({ mounts: [], env: {}, isolate: [] });
    expect([empty.mounts, empty.env, empty.isolate]).toEqual([[], {}, []]);
  });

  describe("mounts", () => {
    const [proc, dev, tmp] = [
      { type: "proc", target: "/proc" },
      { type: "dev", target: "/dev" },
      { type: "tmpfs", target: "/tmp" },
    ] as const;
    const bind = { type: "bind", source: "/src", target: "/src", readOnly: false } as const;
    const sized = { type: "tmpfs", target: "/tmp", size: 4096 } as const;

    it.each([
      ["absent", {}, [proc, dev, tmp]],
      ["one bind", { mounts: [bind] }, [bind, proc, dev, tmp]],
      [
        "in the place of a default one",
        { mounts: [{ ...sized, target: "/tmp/" }] },
        [sized, proc, dev],
      ],
      ["none, said by an empty list", { mounts: [] }, []],
      ["none but its own", { mounts: [bind], defaultMounts: false }, [bind]],
      ["only the default ones, said twice", { mounts: [], defaultMounts: true }, [proc, dev, tmp]],
      ["none, said by the field alone", { defaultMounts: false }, []],
    ])("%s", (_, input, mounts) => {
      const config = parseConfig(input);
      expect([config.mounts, config.defaultMounts]).toEqual([mounts, false]);
      expect(parseConfig(config)).toEqual(config);
    });
  });

  it("takes a field that is undefined for one that is left out", () => {
    expect(parseConfig({ root: undefined, user: undefined, limits: undefined })).toEqual(
      parseConfig({}),
    );
  });

  it("gives a path its one spelling", () => {
    const { root, writable, mounts } = parseConfig({
      root: "//srv/./root//",
      writable: ["/a/", "/"],
      mounts: [{ type: "bind", source: "/./x", target: "/y//z/" }],
    });
    expect([root, writable]).toEqual(["/srv/root", ["/a", "/"]]);
    expect(mounts[0]).toEqual({ type: "bind", source: "/x", target: "/y/z", readOnly: false });
  });

  it("does not change its input", () => {
    const input = Object.freeze({
      writable: Object.freeze(["/a/"]),
      env: Object.freeze({ A: "b" }),
    });
    parseConfig(input);
    expect(input.writable).toEqual(["/a/"]);
  });
});
