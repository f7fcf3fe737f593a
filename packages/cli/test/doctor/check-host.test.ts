import { realHost } from "@sandboxlib/core/backend";
import { describe, expect, test } from "vitest";
import { checkHost } from "../../src/doctor/check-host.js";
import { commandOf } from "../../src/doctor/steps.js";
import { after, findingsIn, IN_USER, lookInto, noUser, ROOT } from "../support/doctor.js";
import { testUnless } from "../support/test-unless.js";

describe("a host that allows everything", () => {
  testUnless(noUser, "is found to do so", () => {
    const findings = findingsIn({ prefix: [] });
    const steps = ROOT
      ? (["mount", "net", "proc", "root"] as const)
      : (["mount", "net", "proc"] as const);
    const expected = steps.map((step) => ({
      what: expect.stringContaining(`(${commandOf(step)})`),
      works: true,
    }));
    expect(findings.filter(({ what }) => !what.includes("--map-auto"))).toEqual(expected);
  });
});

describe("limits on namespaces", () => {
  testUnless(
    noUser,
    "user.max_user_namespaces at 0 is found, as the only cause, with the command that ends it",
    () => {
      const none = { prefix: [...IN_USER, ...after("echo 0 >/proc/sys/user/max_user_namespaces")] };
      const found = lookInto(none);
      expect(found("mount")).toMatchObject({
        works: false,
        layer: "sysctl",
        cause: "user.max_user_namespaces is 0",
        fix: "sudo sysctl -w user.max_user_namespaces=10000",
      });
      expect(found("net")).toBe(undefined);
    },
  );

  testUnless(noUser, "one on network namespaces alone is found where these are tried", () => {
    const none = { prefix: [...IN_USER, ...after("echo 0 >/proc/sys/user/max_net_namespaces")] };
    const found = lookInto(none);
    expect(found("mount")).toMatchObject({ works: true });
    expect(found("net")).toMatchObject({
      layer: "sysctl",
      cause: "user.max_net_namespaces is 0",
    });
  });

  testUnless(noUser, "one that is used up is not taken for one that is 0", () => {
    const few = {
      prefix: [
        ...IN_USER,
        ...after("echo 1 >/proc/sys/user/max_user_namespaces"),
        "unshare",
        "--map-root-user",
      ],
    };
    const found = lookInto(few)("mount");
    expect(found).toMatchObject({ layer: "sysctl" });
    expect(found?.cause).toMatch(
      /^there are as many namespaces as may be \(ENOSPC; here user.max_user_namespaces is \d+/,
    );
  });
});

test("a host without unshare(1) is told what to install", async () => {
  const host = { ...realHost(), which: () => undefined };
  expect(await checkHost(host)).toMatchObject([
    { works: false, fix: "Install the package util-linux." },
  ]);
  expect(await checkHost({ ...host, platform: "darwin" })).toEqual([]);
});
