import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { realHost, userNamespaceProfile } from "@sandboxlib/core/backend";
import { expect } from "vitest";
import { programs } from "../../src/doctor/observe.js";
import { BIN } from "../support/cli.js";
import { after, doctorText, findingsIn, noUser, ROOT } from "../support/doctor.js";
import { testUnless } from "../support/test-unless.js";

const found = await programs(realHost());
const launcher = found.find(({ name }) => name === "sandboxlib-launcher");
const noLauncher = launcher === undefined ? "needs the launcher" : noUser;

testUnless(
  noLauncher,
  "the programs that make user namespaces are found, by their real paths, and tried",
  () => {
    expect(found.filter(({ name }) => name === "sandboxlib-bwrap")).toHaveLength(
      existsSync("/usr/bin/bwrap") ? 1 : 0,
    );
    for (const { path, works } of found) expect([realpathSync(path), works]).toEqual([path, true]);
  },
);

/** A user who has no id inside: a user namespace can be made, and its map cannot be written, as AppArmor has it. */
const NOBODY = ["unshare", "--user"];
const isReachable =
  spawnSync("unshare", ["--user", process.execPath, BIN.sandboxlib, "--version"]).status === 0;
const lack = ROOT ? undefined : "only root covers a setting";

testUnless(
  lack ?? noLauncher ?? (isReachable ? undefined : "nobody may read this checkout"),
  "where the setting is on, a profile is printed for each of them (a file is mounted in the place of the setting, which this kernel lacks)",
  () => {
    const restrict = after(`mount -t tmpfs none /proc/sys/kernel
      echo 1 >/proc/sys/kernel/apparmor_restrict_unprivileged_userns`);
    const around = { prefix: ["unshare", "--mount", ...restrict, ...NOBODY] };
    const fixes = found.map(({ name, path }) => userNamespaceProfile(name, path).install);
    expect(findingsIn(around)[0]).toMatchObject({ layer: "apparmor", fix: fixes.join("\n") });
    const text = doctorText(around);
    expect(text).toMatch(
      /^no {4}user namespaces.*\n {6}cause: AppArmor gives programs without a profile/m,
    );
    for (const fix of fixes) expect(text).toContain(`      fix: ${fix}\n`);
    expect(text).not.toContain("sysctl -w kernel.apparmor");
  },
);
