import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { realHost, userNamespaceProfile } from "../../src/index.backend.js";

const STRANGE = `/opt/it's @{HOME}/"a" [1]*?^\\{x}/launcher`;

describe("a profile that lets one program make user namespaces", () => {
  it("names the program's path, in which nothing is a pattern or a variable", () => {
    expect(userNamespaceProfile("sandboxlib-x", "/opt/@acme+x@1.0/bin/x").text).toBe(
      'abi <abi/4.0>,\nprofile sandboxlib-x "/opt/@acme+x@1.0/bin/x" flags=(unconfined) { userns, }\n',
    );
    expect(userNamespaceProfile("x", STRANGE).text).toContain(
      String.raw`profile x "/opt/it's @\{HOME\}/\"a\" \[1\]\*\?\^\\\{x\}/launcher" flags`,
    );
  });

  it.each(["/usr/bin/bwrap", STRANGE])(
    "is written by the command that installs it as it is: %s",
    (path) => {
      const { text, install } = userNamespaceProfile("sandboxlib-x", path);
      const [print = "", ...rest] = install.split(" | sudo ");
      expect(rest).toEqual([
        "tee /etc/apparmor.d/sandboxlib-x && sudo apparmor_parser -r /etc/apparmor.d/sandboxlib-x",
      ]);
      expect(spawnSync("/bin/sh", ["-c", print], { encoding: "utf8" }).stdout).toBe(text);
    },
  );

  const { parser = "", lack } = findParser();
  const note = lack === undefined ? "" : ` (skipped: ${lack})`;
  it.skipIf(lack !== undefined)(`is what AppArmor's own parser takes${note}`, () => {
    for (const path of ["/usr/bin/bwrap", STRANGE]) {
      const { text } = userNamespaceProfile("sandboxlib-x", path);
      expect(parse(text)).toMatchObject({ status: 0 });
      expect(parse(text.replace("userns", "usernames"))).toMatchObject({ status: 1 });
    }
  });

  /** Neither loads it into the kernel nor keeps what it has made of it. */
  function parse(text: string) {
    const options = ["--skip-kernel-load", "--skip-cache"];
    return spawnSync(parser, options, { input: text, encoding: "utf8" });
  }
});

/** Rules about user namespaces came with AppArmor 4. */
function findParser(): { readonly parser?: string; readonly lack?: string } {
  const parser = realHost().which("apparmor_parser");
  if (parser === undefined) return { lack: "apparmor_parser is not installed" };
  const { stdout } = spawnSync(parser, ["--version"], { encoding: "utf8" });
  const version = /version (\d+)\S*/.exec(stdout);
  return Number(version?.[1]) >= 4
    ? { parser }
    : { lack: `apparmor_parser knows no user namespaces before 4.0, and has the ${version?.[0]}` };
}
