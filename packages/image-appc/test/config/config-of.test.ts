import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type AppcOptions, configOf } from "../../src/config/config-of.js";
import type { AppcFragment } from "../../src/config/fragment.js";
import { manifestWith, rootWith, temporary, thrownBy, type Written } from "../made.js";

const ids = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

function fragment(
  app: Written,
  root = rootWith(),
  options: Partial<AppcOptions> = {},
): AppcFragment {
  return configOf(manifestWith(app), root, { volumes: {}, ...options });
}

describe("the config of an app", () => {
  it("has the command, the directory and the environment of the manifest", () => {
    const { config } = fragment({
      exec: ["app", "x"],
      workingDirectory: "/opt//work/",
      environment: [
        { name: "A", value: "b" },
        { name: "AC_APP_NAME", value: "another" },
      ],
    });
    expect(config).toMatchObject({ command: ["app", "x"], cwd: "/opt/work", writable: "all" });
    expect(config.env).toEqual({
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      A: "b",
      AC_APP_NAME: "app",
      container: "sandboxlib",
    });
  });

  it("tells the URL of the metadata service where there is one", () => {
    const { config } = fragment({}, rootWith(), { metadataUrl: "http://127.0.0.1:1/x" });
    expect(config.env).toMatchObject({ AC_METADATA_URL: "http://127.0.0.1:1/x" });
  });

  it("says that PWD is ignored", () => {
    const { config, notes } = fragment({ environment: [{ name: "PWD", value: "/x" }] });
    expect(config.env).not.toHaveProperty("PWD");
    expect(notes).toEqual([expect.stringMatching(/^app.environment\[0\]: PWD/)]);
  });

  it("keeps the commands before and after the program", () => {
    const eventHandlers = [
      { name: "post-stop", exec: ["after"] },
      { name: "pre-start", exec: ["before", "it"] },
    ];
    expect(fragment({ eventHandlers })).toMatchObject({
      preStart: [["before", "it"]],
      postStop: [["after"]],
    });
  });

  it("refuses an image for another system", () => {
    const manifest = manifestWith({}, { labels: [{ name: "os", value: "freebsd" }] });
    const { message } = thrownBy(() => configOf(manifest, rootWith(), { volumes: {} }));
    expect(message).toContain('the image is for "freebsd"');
  });
});

describe("user and group", () => {
  const files = {
    "etc/passwd": "root:x:0:0::/:\nwww:x:4321:33::/:\n77:x:78:78::/:\nodd:x:many:1::/:\n",
    "etc/group": "root:x:0:\nstaff:x:4322:\n",
  };

  it.each([
    ["www", "staff", 4321, 4322],
    ["77", "99", 78, 99],
    ["4294967294", "0", 4_294_967_294, 0],
  ])("%s and %s are looked up in the image, and numbers are ids", (user, group, uid, gid) => {
    expect(fragment({ user, group }, rootWith(files)).config.user).toEqual({ uid, gid });
  });

  it("are left out when they are the caller's own, since some backends know no others", () => {
    const own = { user: String(ids.uid), group: String(ids.gid) };
    expect(fragment(own).config).not.toHaveProperty("user");
  });

  it.each([
    ["nobody", 'app.user: "nobody" is not in the image\'s /etc/passwd'],
    ["odd", 'app.user: has the id "many"'],
    ["4294967295", "app.user:"],
    ["/no/such/file", 'app.user: there is no "/no/such/file" in the image'],
  ])("%s is refused", (user, message) => {
    expect(thrownBy(() => fragment({ user }, rootWith(files))).message).toContain(message);
  });

  it.runIf(ids.uid === 0)("are those of a file where they start with a slash", () => {
    const root = rootWith({ "bin/ping": "" });
    chownSync(join(root, "bin/ping"), 1234, 5678);
    const { config } = fragment({ user: "/bin/ping", group: "/bin/ping" }, root);
    expect(config.user).toEqual({ uid: 1234, gid: 5678 });
  });

  it("are not looked up outside of the root, whatever symlinks it has", () => {
    const outside = temporary();
    writeFileSync(join(outside, "passwd"), "spy:x:1:1::/:\n");
    const root = rootWith();
    symlinkSync(outside, join(root, "etc"));
    expect(thrownBy(() => fragment({ user: "spy" }, root)).message).toContain(
      "is not in the image",
    );
    symlinkSync("/etc/shadow", join(root, "link"));
    expect(thrownBy(() => fragment({ user: "/link" }, root)).message).toContain("there is no");
    symlinkSync("loop", join(root, "loop"));
    expect(thrownBy(() => fragment({ user: "/loop" }, root)).message).toContain("ELOOP");
  });

  it("do not wait for a FIFO in the place of the list", () => {
    const root = rootWith();
    mkdirSync(join(root, "etc"));
    execFileSync("mkfifo", [join(root, "etc/passwd")]);
    expect(thrownBy(() => fragment({ user: "x" }, root)).message).toContain("is not in the image");
  });

  it("have no further groups, and the notes say so", () => {
    expect(fragment({ supplementaryGIDs: [4, 5] }).notes).toEqual([
      "app.supplementaryGIDs: the app gets no group but its own, so it lacks 4, 5",
    ]);
  });
});

describe("mount points", () => {
  const mountPoints = [
    { name: "data", path: "/data", readOnly: false },
    { name: "conf", path: "/etc/app/", readOnly: true },
  ];

  it("are filled with the volumes of the same names, read-only where either says so", () => {
    const [data, conf] = [temporary(), temporary()];
    const volumes = {
      data: { source: data, readOnly: true },
      conf: { source: conf, readOnly: false },
    };
    expect(fragment({ mountPoints }, rootWith(), { volumes }).config.mounts).toEqual([
      { type: "proc", target: "/proc" },
      { type: "dev", target: "/dev" },
      { type: "tmpfs", target: "/tmp" },
      { type: "bind", source: data, target: "/data", readOnly: true },
      { type: "bind", source: conf, target: "/etc/app", readOnly: true },
    ]);
  });

  it("hide what the image has there, and the notes say so", () => {
    const root = rootWith({ "data/of-the-image": "" });
    const volumes = { a: { source: temporary(), readOnly: true } };
    const point = [{ name: "a", path: "/data" }];
    expect(fragment({ mountPoints: point }, root, { volumes }).notes).toEqual([
      'app.mountPoints[0]: the volume hides what the image has at "/data"',
    ]);
    expect(fragment({ mountPoints: point }, rootWith(), { volumes }).notes).toEqual([]);
  });

  it("may take the place of a default mount", () => {
    const source = temporary();
    const tmp = [{ name: "tmp", path: "/tmp" }];
    const volumes = { tmp: { source, readOnly: false } };
    const { mounts = [] } = fragment({ mountPoints: tmp }, rootWith(), { volumes }).config;
    expect(mounts.filter(({ target }) => target === "/tmp")).toEqual([
      { type: "bind", source, target: "/tmp", readOnly: false },
    ]);
  });

  it("without a volume are refused, and the hint says how to give one", () => {
    expect(thrownBy(() => fragment({ mountPoints }))).toMatchObject({
      message: 'app.mountPoints[0]: the image expects a volume "data" at "/data"',
      hint: "Give it a directory: --volume data=PATH.",
    });
  });

  it.each(["no-such", "toString"])("of another name are refused: %s", (name) => {
    const volumes = { [name]: { source: "/", readOnly: true } };
    const { message } = thrownBy(() => fragment({}, rootWith(), { volumes }));
    expect(message).toContain("the image has no mount point");
  });

  it("that lie within each other are refused", () => {
    const inner = [
      { name: "a", path: "/data" },
      { name: "b", path: "/data/b" },
    ];
    const volume = { source: temporary(), readOnly: false };
    const volumes = { a: volume, b: volume };
    const { message } = thrownBy(() => fragment({ mountPoints: inner }, rootWith(), { volumes }));
    expect(message).toContain("lie within each other");
  });

  it("take no volume that is not there, or lies behind a symlink", () => {
    const directory = temporary();
    symlinkSync("/etc", join(directory, "link"));
    const one = [{ name: "a", path: "/a" }];
    const refused = (source: string): string =>
      thrownBy(() =>
        fragment({ mountPoints: one }, rootWith(), { volumes: { a: { source, readOnly: true } } }),
      ).message;
    expect(refused(join(directory, "link"))).toContain("leads through a symlink");
    expect(refused(join(directory, "link/ssl"))).toContain("symlink");
    expect(refused(join(directory, "missing"))).toContain("on the host");
  });
});

describe("isolators", () => {
  const only = (name: string, value: unknown): Written => ({ isolators: [{ name, value }] });

  it("that restrict and cannot be enforced are refused, unless the caller lets them go", () => {
    const app = only("os/linux/seccomp-retain-set", { set: ["read"] });
    expect(thrownBy(() => fragment(app))).toMatchObject({
      code: "CAPABILITY_UNSUPPORTED",
      path: "app.isolators[0]",
    });
    const { notes } = fragment(app, rootWith(), { degrade: true });
    expect(notes).toEqual([expect.stringMatching(/^not enforced: app\.isolators\[0\]/)]);
  });

  it.each([
    ["os/linux/seccomp-retain-set", { set: ["@appc.io/all"] }],
    ["os/linux/seccomp-remove-set", { set: ["@appc.io/empty", "reboot"] }],
    ["os/linux/capabilities-remove-set", { set: ["CAP_MKNOD"] }],
    ["os/linux/no-new-privileges", true],
  ])("%s %j holds as it is", (name, value) => {
    expect(fragment(only(name, value)).notes).toEqual([]);
  });

  it("that bound memory and processors are limits, the least of several", () => {
    const isolators = [
      { name: "resource/memory", value: { limit: "1G" } },
      { name: "resource/memory", value: { request: "1Mi", limit: "64Mi" } },
      { name: "resource/cpu", value: { limit: "500m" } },
    ];
    const { config, notes } = fragment({ isolators });
    expect(config.limits).toEqual({ memory: 64 * 1024 ** 2, cpu: 0.5 });
    expect(notes).toEqual([
      "app.isolators[1]: resource/memory is not reserved, only limited: the request has no effect",
    ]);
  });

  it("that grant something are reported", () => {
    const { notes } = fragment(only("os/linux/capabilities-retain-set", { set: ["CAP_NET_RAW"] }));
    expect(notes).toEqual([expect.stringContaining("lacks CAP_NET_RAW")]);
  });

  it("that nobody knows are reported", () => {
    expect(fragment(only("example.com/odd", { any: 1 })).notes).toEqual([
      'app.isolators[0]: the isolator "example.com/odd" is not known here, and is ignored',
    ]);
  });

  it.each([
    ["resource/memory", { limit: "a lot" }],
    ["resource/memory", { limit: "0" }],
    ["resource/cpu", 5],
    ["os/linux/capabilities-retain-set", { set: [] }],
    ["os/linux/capabilities-retain-set", { set: ["\u001b[2J"] }],
    ["os/linux/no-new-privileges", "yes"],
  ])("of the wrong form are refused: %s %j", (name, value) => {
    expect(thrownBy(() => fragment(only(name, value)))).toMatchObject({ code: "IMAGE_INVALID" });
  });

  it("that exclude each other are refused", () => {
    const isolators = ["retain", "remove"].map((word) => ({
      name: `os/linux/seccomp-${word}-set`,
      value: { set: ["read"] },
    }));
    expect(thrownBy(() => fragment({ isolators })).message).toContain("exclude each other");
  });

  it("include sockets that are opened ahead, which nobody opens here", () => {
    const ports = [{ name: "www", protocol: "tcp", port: 80, socketActivated: true }];
    expect(thrownBy(() => fragment({ ports })).path).toBe("app.ports[0].socketActivated");
  });
});
