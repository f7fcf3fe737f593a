import { spawnSync } from "node:child_process";
import { describe, expect } from "vitest";
import { after, doctorText, MASK, noUser, ROOT } from "../support/doctor.js";
import { filterFd, noFilter, UNDER_FILTER } from "../support/filter.js";
import { testUnless } from "../support/test-unless.js";

const CAPABILITIES = `chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod
  audit_write setfcap`;
const bounds = ["-all", ...CAPABILITIES.split(/\s+/).map((name) => `+${name}`)].join(",");
const AS_ROOT = ["setpriv", `--bounding-set=${bounds}`, "--inh-caps=-all"];
/** Who may read what root may, besides: the checkout may be root's alone. */
const READS = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search"];
const IDS = ["--reuid=61234", "--regid=61234", "--clear-groups"];
const AS_USER = ["setpriv", `--bounding-set=${bounds},+dac_read_search`, ...READS, ...IDS];

const refuse = (errnoRet: number, ...names: readonly string[]) => ({
  names: [...names],
  action: "SCMP_ACT_ERRNO" as const,
  errnoRet,
});
const MOUNTS =
  `mount umount2 pivot_root fsopen fsconfig fsmount fspick move_mount open_tree mount_setattr`.split(
    " ",
  );
/** CLONE_NEW* of clone(2). */
const NEW = [
  0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
];
/** What Docker's default profile says of namespaces and mounts. */
const RULES = [
  refuse(1, "unshare", "setns", ...MOUNTS),
  refuse(38, "clone3"),
  ...NEW.map((flag) => ({
    ...refuse(1, "clone"),
    args: [{ index: 0, value: flag, valueTwo: flag, op: "SCMP_CMP_MASKED_EQ" as const }],
  })),
];

/** Which of our backends the doctor finds usable under some of Docker's rules, and the layers that it names. */
function usable(who: readonly string[], masks: boolean, filter: boolean) {
  const masked = masks ? ["unshare", "--mount", ...after(MASK)] : [];
  const prefix = [...masked, ...(filter ? UNDER_FILTER : []), ...who];
  const around = filter ? { prefix, fd: filterFd(...RULES) } : { prefix };
  const { findings, backends } = JSON.parse(doctorText(around, "--json")) as Report;
  const names = backends.filter(({ available }) => available).map(({ name }) => name);
  return { names, layers: [...new Set(findings.flatMap(({ layer }) => layer ?? []))] };
}

interface Report {
  readonly findings: readonly { readonly layer?: string }[];
  readonly backends: readonly { readonly name: string; readonly available: boolean }[];
}

const hasOci = ["/usr/bin/crun", "/usr/sbin/runc"].some(
  (path) => spawnSync(path, ["--version"]).status === 0,
);
const lack = (ROOT ? undefined : "only root takes capabilities from root") ?? noUser ?? noFilter;

describe("docs/hosts/docker.md: an imitation of a container of Docker", () => {
  testUnless(lack, "leaves no backend, to root or another user, and its filter is named", () => {
    for (const who of [AS_ROOT, AS_USER]) {
      expect(usable(who, true, true)).toEqual({ names: [], layers: ["seccomp"] });
    }
  });

  testUnless(
    lack,
    "without the filter leaves the backend namespaces, and the masks are named",
    () => {
      const root = usable(AS_ROOT, true, false);
      expect(root).toEqual({ names: ["namespaces"], layers: ["procfs", "capability"] });
      const user = usable(AS_USER, true, false);
      expect(user.names).toContain("namespaces");
      expect(user.names).not.toContain("oci");
      expect(user.layers).toContain("procfs");
    },
  );

  testUnless(lack, "without filter and masks leaves namespaces and oci", () => {
    expect(usable(AS_ROOT, false, false)).toEqual({
      names: ["namespaces", ...(hasOci ? ["oci"] : [])],
      layers: ["capability"],
    });
  });
});
