import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect } from "vitest";
import {
  after,
  doctorText,
  findingsIn,
  IN_USER,
  lookInto,
  MASK,
  noUser,
  ROOT,
} from "../support/doctor.js";
import { filterFd, noFilter, UNDER_FILTER } from "../support/filter.js";
import { scratch } from "../support/scratch.js";
import { testUnless } from "../support/test-unless.js";

describe("a filter of system calls", () => {
  const refuse = (errnoRet: number) => ({
    names: ["unshare"],
    action: "SCMP_ACT_ERRNO" as const,
    errnoRet,
  });

  testUnless(
    noFilter,
    "that refuses unshare(2), as Docker's does, is shown to by a call that asks for nothing",
    () => {
      const fd = filterFd(refuse(1));
      expect(lookInto({ prefix: UNDER_FILTER, fd })("mount")).toMatchObject({
        works: false,
        layer: "seccomp",
        cause: expect.stringMatching(
          /^a filter .* refuses unshare\(2\): `unshare true` .* gets EPERM$/,
        ),
      });
    },
  );

  testUnless(noFilter, "that answers ENOSYS is not taken for an old kernel", () => {
    const found = lookInto({ prefix: UNDER_FILTER, fd: filterFd(refuse(38)) })("mount");
    expect(found).toMatchObject({ layer: "seccomp", cause: expect.stringMatching(/gets ENOSYS$/) });
  });

  testUnless(noFilter, "that kills is shown by the signal", () => {
    const fd = filterFd({ names: ["unshare"], action: "SCMP_ACT_KILL_PROCESS" });
    const found = lookInto({ prefix: UNDER_FILTER, fd })("mount");
    expect(found).toMatchObject({ layer: "seccomp", cause: expect.stringMatching(/gets SIGSYS$/) });
  });

  const newUser = {
    index: 0,
    value: 0x1000_0000,
    valueTwo: 0x1000_0000,
    op: "SCMP_CMP_MASKED_EQ" as const,
  };
  testUnless(
    noFilter,
    "that refuses user namespaces alone, as RestrictNamespaces= of systemd, is named as likely",
    () => {
      const fd = filterFd({ ...refuse(1), args: [newUser] });
      expect(lookInto({ prefix: UNDER_FILTER, fd })("mount")).toMatchObject({
        layer: "seccomp",
        cause: expect.stringMatching(/^most likely the filter .*Seccomp: 2/),
        fix: expect.stringMatching(/seccomp/),
      });
    },
  );

  testUnless(noFilter, "that refuses nothing is not blamed", () => {
    const fd = filterFd({ names: ["mknod"], action: "SCMP_ACT_ERRNO" });
    expect(lookInto({ prefix: UNDER_FILTER, fd })("mount")).toMatchObject({ works: true });
  });
});

describe("a container", () => {
  const masked = { prefix: [...IN_USER, ...after(MASK)] };

  testUnless(noUser, "that covers parts of /proc is told which, and nothing else is blamed", () => {
    const findings = lookInto(masked);
    const found = findings("proc");
    expect(found).toMatchObject({ works: false, layer: "procfs" });
    for (const at of ["/proc/interrupts", "/proc/tty", "/proc/sys"])
      expect(found?.cause).toContain(at);
    expect(findings("mount")).toMatchObject({ works: true });
  });

  const IN_KUBERNETES = { KUBERNETES_SERVICE_HOST: "10.0.0.1" };
  testUnless(noUser, "is told the fix of its platform, and its page", () => {
    const text = doctorText({ ...masked, env: IN_KUBERNETES });
    expect(text).toMatch(
      /^ {6}KUBERNETES_SERVICE_HOST is set: see https:\/\/github\.com\/\S+\/blob\/main\/docs\/hosts\/kubernetes\.md$/m,
    );
    expect(text).toMatch(
      /^ {6}fix: Set hostUsers of the pod to false, and .*procMount .* to Unmasked$/m,
    );
  });

  testUnless(noUser, "whose root has no capabilities is told which it takes", () => {
    const bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    const findings = findingsIn({ prefix: [...IN_USER, ...bare] });
    expect(findings.map(({ layer, cause }) => [layer, cause?.slice(0, 27)])).toEqual([
      ["capability", "root has no CAP_SETFCAP her"],
      ["capability", "root has no CAP_SYS_ADMIN h"],
    ]);
  });
});

testUnless(
  ROOT ? noUser : "only root changes its root directory",
  "a chroot is found where the kernel refuses user namespaces for it",
  () => {
    const root = `${scratch()}/root`;
    const script = `mount -t tmpfs none ${dirname(root)}; mkdir ${root}
      for at in /*; do [ ! -d $at ] || { mkdir ${root}$at; mount --rbind $at ${root}$at; }; done`;
    const into = ["unshare", "--mount", ...after(script), "chroot", root];
    expect(lookInto({ prefix: into })("mount")).toMatchObject({ layer: "chroot" });
  },
);

describe("a user who is not root", () => {
  const TOOL = "/usr/bin/newuidmap";
  const other = ROOT
    ? [
        "setpriv",
        "--reuid=61234",
        "--regid=61234",
        "--clear-groups",
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
      ]
    : [];
  const why = existsSync(TOOL)
    ? "is told that newuidmap(1) wants an entry in /etc/passwd"
    : "is told to install newuidmap(1), which is not here";
  testUnless(noUser, `and has no subordinate ids ${why}`, () => {
    expect(lookInto({ prefix: other })("range")).toMatchObject({
      works: false,
      layer: "subuid",
      cause: expect.stringMatching(
        existsSync(TOOL) ? /no entry in \/etc\/passwd/ : /^not installed: newuidmap, newgidmap$/,
      ),
    });
  });

  const noTool = existsSync(TOOL) ? undefined : `${TOOL} is not installed`;
  testUnless(
    ROOT ? noTool : "only root gives a user a name",
    "and has a name is told the command that grants a free range",
    () => {
      const passwd = join(scratch(), "passwd");
      writeFileSync(passwd, "root:x:0:0::/:/bin/sh\ntester:x:61234:61234::/:/bin/sh\n");
      const named = [
        "unshare",
        "--mount",
        ...after(`mount --bind ${passwd} /etc/passwd`),
        ...other,
      ];
      expect(lookInto({ prefix: named })("range")).toMatchObject({
        layer: "subuid",
        cause: "no line of /etc/subuid and /etc/subgid is for tester or 61234",
        fix: expect.stringMatching(
          /^sudo usermod --add-subuids \d+-\d+ --add-subgids \d+-\d+ tester$/,
        ),
      });
    },
  );
});
