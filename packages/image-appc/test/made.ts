import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isSandboxError, type SandboxError } from "@sandboxlib/core";
import { onTestFinished } from "vitest";
import { type Manifest, parseManifest } from "../src/manifest/image-manifest.js";

/** A manifest as users write it. */
export type Written = Record<string, unknown>;

/** The bytes of a manifest with these fields. */
export function bytesOf(fields: Written = {}): Uint8Array {
  const whole = {
    acKind: "ImageManifest",
    acVersion: "0.8.11",
    name: "example.com/app",
    ...fields,
  };
  return Buffer.from(JSON.stringify(whole));
}

/** The bytes of a manifest whose app has these fields. */
export function withApp(app: Written, fields: Written = {}): Uint8Array {
  return bytesOf({ ...fields, app: { exec: ["/bin/app"], user: "0", group: "0", ...app } });
}

/** A parsed manifest whose app has these fields. */
export function manifestWith(app: Written, fields: Written = {}): Manifest {
  return parseManifest(withApp(app, fields));
}

/** Makes a directory that is removed after the test. */
export function temporary(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "sandboxlib-appc-")));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A root with these files. */
export function rootWith(files: Readonly<Record<string, string>> = {}): string {
  const root = temporary();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** The SandboxError that a call throws. */
export function thrownBy(call: () => unknown): SandboxError {
  try {
    call();
  } catch (error) {
    if (isSandboxError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** The SandboxError with which a promise is rejected. */
export async function rejectionOf(promise: Promise<unknown>): Promise<SandboxError> {
  try {
    await promise;
  } catch (error) {
    if (isSandboxError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
