import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import bubblewrap from "@sandboxlib/backend-bubblewrap";
import chroot from "@sandboxlib/backend-chroot";
import namespaces from "@sandboxlib/backend-namespaces";
import { realHost } from "@sandboxlib/core/backend";
import { addBusybox, isRequired, noBusybox } from "@sandboxlib/test-support";
import { afterAll, onTestFinished } from "vitest";
import { insideOf, SHARED } from "../../src/pod/namespaces.js";
import { bytesOf, temporary, type Written } from "../made.js";

/** A backend that can run pods here, or why it cannot. */
export interface Runner {
  readonly backend: string;
  /** The capabilities that the backend lacks and a pod can do without. */
  readonly prefer: readonly string[];
  readonly skipped: string | undefined;
}

/** The backends that can run pods. Those in `SANDBOXLIB_REQUIRE` are never skipped. */
export async function runners(): Promise<readonly Runner[]> {
  const host = realHost();
  const lacking = lacks();
  const all = [
    { one: namespaces, prefer: [] },
    { one: bubblewrap, prefer: [] },
    { one: chroot, prefer: ["isolate.user", "isolate.cgroup"] },
  ].map(async ({ one, prefer }) => {
    const probe = await one.probe(host);
    const skipped = lacking ?? (probe.available ? undefined : probe.reason);
    return {
      backend: one.name,
      prefer,
      skipped: isRequired(one.name) && host.uid === 0 ? undefined : skipped,
    };
  });
  return Promise.all(all);
}

function lacks(): string | undefined {
  if (noBusybox !== undefined) return noBusybox;
  try {
    const { argv } = insideOf(["true"], SHARED, realHost());
    const { status } = spawnSync(argv[0], argv.slice(1), { env: { PATH: "/usr/bin:/bin" } });
    return status === 0 ? undefined : "no namespaces can be made here";
  } catch (error) {
    return String(error);
  }
}

/** An image file, its ID, and the app with which a pod replaces that of the image. */
export interface Made {
  readonly path: string;
  readonly id: string;
  readonly app?: Written;
}

const ids = { user: String(process.getuid?.()), group: String(process.getgid?.()) };

/** Makes an image of busybox and these scripts. Without scripts it is always the same file, and the pod says what is run. */
export function imageOf(app: Written, scripts?: Readonly<Record<string, string>>): Made {
  if (scripts !== undefined) return madeOf(app, scripts);
  base ??= madeOf({ exec: ["false"] }, {});
  return { ...base, app: { ...ids, ...app } };
}

let base: Made | undefined;

/** A directory for images, and the cache into which they are unpacked. */
export const cache: string = mkdtempSync(join(tmpdir(), "sandboxlib-pods-of-a-test-"));
afterAll(() => rmSync(cache, { recursive: true, force: true }));

function madeOf(app: Written, scripts: Readonly<Record<string, string>>): Made {
  const made = mkdtempSync(join(cache, "image-"));
  const bin = join(made, "rootfs/bin");
  mkdirSync(join(made, "rootfs/opt/work"), { recursive: true });
  addBusybox(join(made, "rootfs"));
  for (const [name, script] of Object.entries(scripts))
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const annotations = [{ name: "lorem", value: "ipsum" }];
  writeFileSync(join(made, "manifest"), bytesOf({ app: { ...ids, ...app }, annotations }));
  const path = join(made, "image.aci");
  execFileSync("tar", ["-C", made, "-cf", path, "manifest", "rootfs"]);
  const id = `sha512-${createHash("sha512").update(readFileSync(path)).digest("hex")}`;
  return { path, id };
}

/** The result of one command. */
export interface Ran {
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The result of a pod. */
export interface PodRun {
  readonly uuid: string;
  readonly notes: readonly string[];
  readonly apps: readonly {
    readonly name: string;
    readonly result?: Ran;
    readonly failed?: Ran;
    readonly after: readonly Ran[];
  }[];
}

/** Runs a pod of images in a process of its own. When it fails, the message of the error is what the process prints. */
export function runInside(
  { backend, prefer }: Runner,
  pod: Written,
  made: readonly Made[],
): Promise<PodRun> {
  const images = temporary();
  for (const { path } of made) copyFileSync(path, join(images, `${basename(dirname(path))}.aci`));
  const whole = { acKind: "PodManifest", acVersion: "0.8.11", ...pod };
  const caller = join(import.meta.dirname, "pod-caller.mjs");
  const request = JSON.stringify({ backend, prefer, pod: whole, images });
  const child = spawn(process.execPath, [caller, request], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, XDG_CACHE_HOME: cache },
  });
  // The process ends with the test, also when that takes too long.
  onTestFinished(() => void child.kill("SIGKILL"));
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(output.stdout) as PodRun);
      else reject(new Error(output.stderr));
    });
  });
}
