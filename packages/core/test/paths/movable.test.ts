import { describe, expect, it } from "vitest";
import { realHost } from "../../src/index.backend.js";
import { type ConfigInput, parseConfig } from "../../src/index.js";
import { refuseMovable } from "../../src/paths/movable.js";
import { resolvePaths } from "../../src/paths/resolve-paths.js";
import { temporary } from "../support/temporary.js";
import { thrown } from "../support/thrown.js";

const readOnly = (target: string) =>
  ({ type: "bind", source: "/usr", target, readOnly: true }) as const;

function check(config: ConfigInput): void {
  const root = temporary({ "data/deep/key": "x", "data/open": {}, other: {} });
  const asked = { root, defaultMounts: false, cwd: "/", ...config };
  refuseMovable(resolvePaths(parseConfig({ allow: ["user-namespaces"], ...asked }), realHost()));
}

const MOVABLE: readonly (readonly [what: string, config: ConfigInput, path: string])[] = [
  ["a hidden path", { writable: ["/data"], hidden: ["/data/deep"] }, "hidden[0]"],
  ["one deeper in it", { writable: ["/data"], hidden: ["/data/deep/key"] }, "hidden[0]"],
  ["one in a writable root", { writable: "all", hidden: ["/data/deep/key"] }, "hidden[0]"],
  ["a read-only bind", { writable: ["/data"], mounts: [readOnly("/data/open")] }, "mounts[0]"],
  ["one in a writable root", { writable: "all", mounts: [readOnly("/data/open")] }, "mounts[0]"],
  [
    "a hidden path in a writable bind",
    {
      mounts: [{ type: "bind", source: "/var", target: "/other" }],
      hidden: ["/other/tmp"],
    },
    "hidden[0]",
  ],
];

const KEPT: readonly (readonly [what: string, config: ConfigInput])[] = [
  ["a hidden path in a read-only root", { hidden: ["/data/deep"], writable: ["/other"] }],
  ["a read-only bind in a read-only root", { mounts: [readOnly("/data/open")] }],
  ["one in a tmpfs", { mounts: [{ type: "tmpfs", target: "/data" }], writable: "all" }],
  ["what is only writable", { writable: ["/data", "/other"] }],
  [
    "a movable one without user namespaces",
    { allow: [], writable: "all", hidden: ["/data/deep/key"] },
  ],
];

describe("with user namespaces inside", () => {
  it.each(MOVABLE)("%s is refused that the program could move away", async (_, config, path) => {
    expect(await thrown(() => check(config))).toMatchObject({ code: "PATH_INVALID", path });
  });

  it.each(KEPT)("%s is not refused", (_, config) => {
    expect(() => check(config)).not.toThrow();
  });
});
