import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { type Probe, realHost } from "@sandboxlib/core/backend";
import { backendNamed } from "@sandboxlib/core/internal";
import { BUSYBOX, noBusybox, skipOrRequire } from "@sandboxlib/test-support";
import { describe, expect, test } from "vitest";
import { blocks, repository } from "./blocks.js";

const probe = await probeNamespaces();
const { note, skip } = skipOrRequire("namespaces", probe.available ? undefined : probe.reason);

describe.skipIf(skip)(`README.md${note}`, () => {
  test("the library example prints what it says", () => {
    const [example = ""] = blocks("README.md", "ts");
    expect(example.trimEnd().split("\n").length).toBeLessThanOrEqual(15);
    const { stdout, stderr } = run([process.execPath, "--input-type=module", "-e", example]);
    expect(stderr).toBe("");
    const promised = [...example.matchAll(/\/\/ (.*)$/gm)].map(([, comment = ""]) => comment);
    const printed = stdout.split("\n").filter((line) => line !== "");
    expect(printed).toHaveLength(promised.length);
    for (const [index, line] of promised.entries()) expect(printed[index]).toMatch(pattern(line));
  });

  test("the example of docs/judging.md prints what it says", () => {
    const [example = ""] = blocks("docs/judging.md", "js");
    const { stdout, stderr } = run([process.execPath, "--input-type=module", "-e", example]);
    expect([stdout, stderr]).toEqual([blocks("docs/judging.md", "text")[0], ""]);
  });

  const lines = blocks("README.md", "sh").flatMap((block) => block.trimEnd().split("\n"));
  test.each(lines)("the command works: %s", (line) => {
    const { status, stdout, stderr } = run(["/bin/sh", "-c", line]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).not.toBe("");
  });
});

test("the examples of the packages' READMEs that name no other package run as they are", () => {
  const [core = ""] = blocks("packages/core/README.md", "ts");
  if (skip) return;
  const { stdout, stderr } = run([process.execPath, "--input-type=module", "-e", core]);
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^exited 0 \d+\n$/);
});

const PACKAGES = [
  ["backend-namespaces", "ts", ""],
  ["backend-bubblewrap", "ts", ""],
  ["backend-oci", "ts", ""],
  ["launcher", "ts", ""],
  ["prove", "js", "[]\n"],
  ["seccomp", "ts", "an array of struct sock_filter\ntrue []\n"],
] as const;

for (const [name, language, out] of PACKAGES) {
  const lack = await lackOf(name);
  test.skipIf(lack.skip)(`the example of the README of ${name} runs as it is${lack.note}`, () => {
    const [example = ""] = blocks(`packages/${name}/README.md`, language);
    // A package finds itself by its name.
    const cwd = join(repository, "packages", name);
    const { stdout, stderr } = run([process.execPath, "--input-type=module", "-e", example], cwd);
    expect([stdout, stderr]).toEqual([out, ""]);
  });
}

/** What the READMEs name beside programs of the host: roots in /srv, a make, an image, a config, and a directory. */
const PLACE = `
mount -t tmpfs none /srv && mount -t tmpfs none /usr/local/sbin
mkdir -p /srv/here/build /srv/debian/bin /srv/debian/proc /srv/debian/dev /srv/debian/tmp
cp ${BUSYBOX} /srv/debian/bin/busybox && ln -s busybox /srv/debian/bin/sh
ln -s sh /srv/debian/bin/id; ln -s sh /srv/debian/bin/ls
printf '#!/bin/sh\\necho made\\n' >/usr/local/sbin/make && cp /usr/local/sbin/make /srv/debian/bin/dpkg
chmod 755 /usr/local/sbin/make /srv/debian/bin/dpkg
cp -r /srv/debian /srv/rootfs && tar -C /srv/rootfs -cf /srv/here/image.tar .
echo '{}' >/srv/here/sandbox.json && cd /srv/here`;
const noPlace =
  process.getuid?.() !== 0
    ? " (skipped: only root can mount)"
    : noBusybox
      ? ` (skipped: ${noBusybox})`
      : note;

describe.skipIf(skip || noPlace !== "")(`in a place as the READMEs have it${noPlace}`, () => {
  const inPlace = (...words: readonly string[]) =>
    run(["unshare", "--mount", "sh", "-ec", `${PLACE}\nexec "$@"`, "sh", ...words]);

  const lines = blocks("packages/cli/README.md", "sh").at(1)?.trimEnd().split("\n") ?? [];
  // A shell that edits lines throws away what was typed before it began, the end of the input included.
  const unattended = lines.filter((line) => !line.includes("--tty"));
  test.each(unattended)("the command works: %s", (line) => {
    const { status, stdout, stderr } = inPlace("sh", "-c", line);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout + stderr).not.toBe("");
  });

  test("the example of the README of backend-chroot runs as it is", () => {
    const [example = ""] = blocks("packages/backend-chroot/README.md", "ts");
    const shown = `${example}\nconsole.log(Buffer.from(result.stdout).toString(), result.exitCode);`;
    const at = join(repository, "packages/backend-chroot");
    const { stdout, stderr } = inPlace(
      "sh",
      "-c",
      'cd "$0" && exec "$@"',
      at,
      process.execPath,
      "--input-type=module",
      "-e",
      shown,
    );
    expect([stdout, stderr]).toEqual(["made\n 0\n", ""]);
  });
});

/** Whether the example needs a backend that cannot be used here: its own, or the one of the rest of this page. */
async function lackOf(name: string): Promise<{ readonly skip: boolean; readonly note: string }> {
  const backend = /^backend-(.*)$/.exec(name)?.[1];
  if (backend === undefined || backend === "namespaces") return { skip, note };
  const host = realHost();
  const its = await (await backendNamed(backend)).probe(host);
  const noRunc = backend === "oci" && host.which("runc") === undefined;
  return skipOrRequire(
    backend,
    noRunc ? "there is no runc" : its.available ? undefined : its.reason,
  );
}

/** A comment with the place for what differs between hosts written as `...`. */
function pattern(comment: string): RegExp {
  const literal = comment
    .split(" ... ")
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`);
}

async function probeNamespaces(): Promise<Probe> {
  try {
    return await (await backendNamed("namespaces")).probe(realHost());
  } catch (error) {
    return { available: false, reason: String(error), remedy: "" };
  }
}

/** Where the library is installed, with the commands on the path. */
function run([program = "", ...args]: string[], cwd = join(repository, "packages/conformance")) {
  return spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    env: {
      PATH: [join(repository, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
      SANDBOXLIB_BACKEND: "namespaces",
    },
  });
}
