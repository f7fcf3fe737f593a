import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addBusybox, noBusybox, pidsWith } from "@sandboxlib/test-support";
import { afterAll, expect, onTestFinished } from "vitest";
import { describeWith } from "./support/backend.js";
import { BIN, type Ran, ran, runSandbox, startNode } from "./support/cli.js";
import { testUnless } from "./support/test-unless.js";

const TOOLS = ["/usr/sbin/ip", "/usr/bin/unshare", "/usr/bin/hostname"];
const missing = TOOLS.find((tool) => !existsSync(tool));

/** Images, and the cache that they are unpacked into. */
const directory = mkdtempSync(join(tmpdir(), "sandboxlib-cli-pods-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const env = { XDG_CACHE_HOME: directory };

interface Made {
  readonly path: string;
  readonly id: string;
}

/** An image of busybox with this app. */
function imageOf(app: Record<string, unknown>): Made {
  const made = mkdtempSync(join(directory, "image-"));
  addBusybox(join(made, "rootfs"));
  const ids = { user: String(process.getuid?.()), group: String(process.getgid?.()) };
  const manifest = { acKind: "ImageManifest", acVersion: "0.8.11", name: "example.com/app" };
  writeFileSync(join(made, "manifest"), JSON.stringify({ ...manifest, app: { ...ids, ...app } }));
  const path = join(made, "image.aci");
  execFileSync("tar", ["-C", made, "-cf", path, "manifest", "rootfs"]);
  const id = `sha512-${createHash("sha512").update(readFileSync(path)).digest("hex")}`;
  return { path, id };
}

function podOf(images: readonly Made[], fields: Record<string, unknown> = {}): string[] {
  const made = mkdtempSync(join(directory, "pod-"));
  const apps = images.map(({ id }, index) => ({ name: `app-${index}`, image: { id } }));
  for (const [index, { path }] of images.entries()) copyFileSync(path, join(made, `${index}.aci`));
  const pod = join(made, "pod.json");
  writeFileSync(
    pod,
    JSON.stringify({ acKind: "PodManifest", acVersion: "0.8.11", apps, ...fields }),
  );
  return ["--pod", pod, "--images", made];
}

const sh = (script: string): string[] => ["sh", "-c", script];

await describeWith("namespaces", "pods", () => {
  const pods = (title: string, body: () => Promise<void>): void =>
    testUnless(missing === undefined ? noBusybox : `needs ${missing}`, title, body, 60_000);
  const run = (...args: string[]): Promise<Ran> =>
    runSandbox(["--backend", "namespaces", ...args], { env });

  pods(
    "an image with a metadata service is told about itself, and ends with its own code",
    async () => {
      const ask = "wget -q -O - $AC_METADATA_URL/acMetadata/v1/apps/$AC_APP_NAME/image/id; exit 7";
      const { path, id } = imageOf({ exec: sh(ask) });
      expect(await run("--metadata-service", path)).toMatchObject({ exitCode: 7, stdout: id });
      const other = await run("--metadata-service", "--env", "A=b", path, "sh", "-c", "echo $A");
      expect(other).toMatchObject({ exitCode: 0, stdout: "b\n", stderr: "" });
    },
  );

  pods("--network host puts the service on the loopback of the host", async () => {
    const { path } = imageOf({ exec: sh("echo $AC_METADATA_URL; cat") });
    const args = ["--network", "host", "--metadata-service", path];
    const child = startNode([BIN["run-sandbox"], "--backend", "namespaces", ...args], { env });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [url] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    const told = await fetch(`${String(url).trim()}/acMetadata/v1/pod/uuid`);
    expect(told.status).toBe(200);
    expect((await fetch(new URL("/acMetadata/v1/pod/uuid", String(url)))).status).toBe(403);
    child.stdin?.end();
    await once(child, "close");
  });

  pods("a pod ends with the code of the first app that did not end well", async () => {
    const images = ["exit 0", "exit 4", "exit 5"].map((script) => imageOf({ exec: sh(script) }));
    const file = join(directory, "result.json");
    expect(await run("--result-file", file, ...podOf(images))).toMatchObject({ exitCode: 4 });
    const { apps, uuid } = JSON.parse(readFileSync(file, "utf8")) as {
      readonly uuid: string;
      readonly apps: readonly { readonly name: string; readonly result: { exitCode: number } }[];
    };
    expect(uuid).toMatch(/^[0-9a-f-]{36}$/);
    expect(apps.map(({ name, result }) => [name, result.exitCode])).toEqual([
      ["app-0", 0],
      ["app-1", 4],
      ["app-2", 5],
    ]);
  });

  const eventHandlers = [{ name: "post-stop", exec: sh("echo after") }];

  pods("a signal ends the app, and what comes after it is run", async () => {
    const { path } = imageOf({ exec: sh("echo ready; sleep 600"), eventHandlers });
    for (const service of [[], ["--metadata-service"]]) {
      const args = [BIN["run-sandbox"], "--backend", "namespaces", ...service, path];
      const child = startNode(args, { env });
      onTestFinished(() => void child.kill("SIGKILL"));
      const end = ran(child);
      await once(child.stdout as NodeJS.ReadableStream, "data");
      child.kill("SIGTERM");
      expect(await end).toMatchObject({ signal: "SIGTERM", stdout: "ready\nafter\n" });
    }
  });

  pods("nothing of a pod outlives the death of the command line", async () => {
    const marker = `6${process.pid}`;
    const { path } = imageOf({ exec: sh(`echo ready; sleep ${marker}`) });
    const args = [BIN["run-sandbox"], "--backend", "namespaces", "--metadata-service", path];
    const child = startNode(args, { env });
    await once(child.stdout as NodeJS.ReadableStream, "data");
    expect(pidsWith(marker)).not.toEqual([]);
    child.kill("SIGKILL");
    await expect.poll(() => pidsWith(marker), { timeout: 10_000 }).toEqual([]);
  });

  pods("mistakes are named before anything runs", async () => {
    const image = imageOf({ exec: ["true"] });
    const pod = podOf([image]);
    const said = async (...args: string[]): Promise<[number | null, string]> => {
      const { exitCode, stderr } = await run(...args);
      return [exitCode, stderr.split("\n", 1)[0] ?? ""];
    };
    expect(await said("--dry-run", ...pod)).toEqual([
      2,
      "sandboxlib: --dry-run: does not go with --pod",
    ]);
    expect(await said(...pod, "true")).toEqual([2, 'sandboxlib: "true": the pod says what to run']);
    expect(await said("--metadata-service")).toEqual([
      2,
      "sandboxlib: --metadata-service: there is no image that could ask it",
    ]);
    expect(await said("--pod", "/no/such/file")).toEqual([
      2,
      'sandboxlib: --pod: "/no/such/file" cannot be read: ENOENT',
    ]);
    expect(await said("--pod", image.path)).toEqual([125, "sandboxlib: pod: is not JSON in UTF-8"]);
    const mountPoints = [{ name: "data", path: "/data" }];
    const { path } = imageOf({ exec: ["true"], mountPoints });
    expect(await said("--metadata-service", path)).toEqual([
      125,
      'sandboxlib: app.mountPoints[0]: the image expects a volume "data" at "/data"',
    ]);
  });
});
