import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { ownedName } from "@sandboxlib/core/internal";
import { describe, expect, it } from "vitest";
import { openCache } from "../src/cache/directories.js";
import { store } from "../src/cache/images.js";
import { collectImages, type Image, openImage, openImageSandbox } from "../src/index.js";
import { archive } from "./support/archive.js";
import { cached, rejection, temporary } from "./support/place.js";

const CALLER = join(import.meta.dirname, "open-caller.mjs");
const TICK = 50;

/** An image file that was changed long enough ago to be remembered. */
async function image(body = "x"): Promise<{ directory: string; file: string }> {
  const directory = temporary();
  const file = join(directory, "image.tar");
  writeFileSync(file, archive({ path: "a", body }));
  await settle();
  return { directory, file };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, TICK));

const read = ({ rootDirectory }: Image): string => readFileSync(join(rootDirectory, "a"), "utf8");

describe("the cache of images", () => {
  it("is used for a file that is the same, and not for one that has changed", async () => {
    const { file } = await image("one");
    const first = await openImage(file);
    writeFileSync(join(first.rootDirectory, "mark"), "");
    expect(existsSync(join((await openImage(file)).rootDirectory, "mark"))).toBe(true);
    writeFileSync(file, archive({ path: "a", body: "two" }));
    const then = new Date(1e12);
    utimesSync(file, then, then);
    expect(read(await openImage(file))).toBe("two");
  });

  it("holds to the most that this caller allows, whatever another one did", async () => {
    const { file } = await image("x".repeat(5000));
    await openImage(file);
    const { code, message } = await rejection(openImage(file, { maxSize: 1000 }));
    expect([code, message]).toEqual([
      "IMAGE_INVALID",
      `"${file}": it unpacks to more than 1000 bytes`,
    ]);
    expect(read(await openImage(file, { maxSize: 10_000 }))).toHaveLength(5000);
  });

  it("is not looked into for who has aborted already", async () => {
    const { file } = await image();
    const signal = AbortSignal.abort(new Error("gone"));
    for (const path of [file, "/no/such"])
      await expect(openImage(path, { signal })).rejects.toThrow(/^gone$/);
    expect(existsSync(process.env["XDG_CACHE_HOME"] ?? "")).toBe(false);
    const opened = await openImage(file);
    await settle();
    const directory = join(process.env["XDG_CACHE_HOME"] ?? "", "sandboxlib/private");
    const changedAt = (): number => statSync(directory).mtimeMs;
    const before = changedAt();
    await expect(openImageSandbox(opened, {}, { signal })).rejects.toThrow(/^gone$/);
    expect(changedAt()).toBe(before);
  });

  it("is used for another file with the same content", async () => {
    const { directory, file } = await image();
    const first = await openImage(file);
    writeFileSync(join(directory, "copy"), readFileSync(file));
    expect((await openImage(join(directory, "copy"))).rootDirectory).toBe(first.rootDirectory);
    expect([cached("images").length, cached("private")]).toEqual([1, []]);
  });

  it("unpacks an image once when many ask for it at once", async () => {
    const { file } = await image("x".repeat(2 ** 20));
    const callers = Array.from({ length: 4 }, () => started(file));
    const ended = await Promise.all(callers.map(({ ended: each }) => each));
    expect(ended.reduce((sum, { unpacked }) => sum + unpacked, 0)).toBe(1);
    expect([cached("images").length, cached("private")]).toEqual([1, []]);
  });

  it("holds nothing after a crash in the middle, which gc clears, and unpacks again", async () => {
    const { file } = await image("x".repeat(2 ** 24));
    const caller = started(file, "slow");
    while (cached("private").length === 0) await settle();
    caller.child.kill("SIGKILL");
    await once(caller.child, "exit");
    expect(cached("images")).toEqual([]);
    const left = cached("private");
    expect(left).toHaveLength(1);
    expect(read(await openImage(file))).toHaveLength(2 ** 24);
    expect(collectImages().failed).toEqual([]);
    expect([cached("images"), cached("private"), cached("seen")]).toEqual([[], [], []]);
  });

  it("is emptied by gc but for what is in use", async () => {
    const { directory, file } = await image("used");
    const other = join(directory, "other.tar");
    writeFileSync(other, archive({ path: "b" }));
    const used = await openImage(file);
    await openImage(other);
    const one = await openImageSandbox(used, { ...used.config, mounts: [] }, { prefer: "all" });
    const collected = collectImages();
    expect([collected.removed.length, collected.kept.length]).toEqual([1, 1]);
    expect(read(used)).toBe("used");
    await one[Symbol.asyncDispose]();
    expect(collectImages().kept).toEqual([]);
    expect(cached("images")).toEqual([]);
    expect((await rejection(openImageSandbox(used, { mounts: [] }, { prefer: "all" }))).code).toBe(
      "IMAGE_INVALID",
    );
  });

  const lacksModes = process.getuid?.() === 0 ? " (skipped: modes are nothing to root)" : "";
  it.skipIf(lacksModes !== "")(
    `leaves what cannot be removed after a run to gc${lacksModes}`,
    async () => {
      const { directory, file } = await image();
      const used = await openImage(file);
      const one = await openImageSandbox(used, { mounts: [] }, { prefer: "all" });
      const held = join(directory, "cache/sandboxlib/private");
      chmodSync(held, 0o500);
      await one[Symbol.asyncDispose]();
      expect(cached("private")).toHaveLength(1);
      chmodSync(held, 0o700);
    },
  );

  it("gives threads of one process directories of their own", async () => {
    const directory = temporary();
    const place = join(directory, "private");
    mkdirSync(place);
    const script = `
      const { workerData } = require("node:worker_threads");
      import(workerData.module).then((cache) => cache.makePrivateDirectory({ private: workerData.place }));`;
    const module = new URL("../dist/cache/directories.js", import.meta.url).href;
    const workers = Array.from(
      { length: 2 },
      () => new Worker(script, { eval: true, workerData: { module, place } }),
    );
    const codes = await Promise.all(workers.map(async (each) => (await once(each, "exit"))[0]));
    expect([codes, readdirSync(place).length]).toEqual([[0, 0], 2]);
  });

  it("may be emptied while images are put into it", async () => {
    const { directory, file } = await image();
    const { key } = await openImage(file);
    const cache = openCache();
    const record = JSON.parse(readFileSync(join(cache.images, key, "record.json"), "utf8"));
    const script = `
      const { parentPort, workerData } = require("node:worker_threads");
      import(workerData).then(({ collectImages }) => {
        const failed = [];
        parentPort.on("message", () => parentPort.postMessage(failed));
        setInterval(() => failed.push(...collectImages().failed), 0).unref();
      });`;
    const dist = new URL("../dist/index.js", import.meta.url).href;
    const worker = new Worker(script, { eval: true, workerData: dist });
    await once(worker, "online");
    for (let round = 0; round < 500; round += 1) {
      const made = join(directory, `cache/sandboxlib/private/${ownedName()}.`);
      mkdirSync(join(made, "image/root"), { recursive: true });
      store(cache, join(made, "image"), { ...record, boot: "an earlier one" });
    }
    worker.postMessage("end");
    const [failed] = await once(worker, "message");
    await worker.terminate();
    expect(failed).toEqual([]);
  });

  it("does not take for whole what the machine may have lost in a crash", async () => {
    const { file } = await image();
    const first = await openImage(file);
    const record = join(first.rootDirectory, "../record.json");
    const crashed = { ...JSON.parse(readFileSync(record, "utf8")), boot: "an earlier one" };
    writeFileSync(record, JSON.stringify(crashed));
    writeFileSync(join(first.rootDirectory, "a"), "");
    expect(read(await openImage(file))).toBe("x");
    writeFileSync(join(first.rootDirectory, "../settled"), "");
    writeFileSync(record, JSON.stringify(crashed));
    writeFileSync(join(first.rootDirectory, "mark"), "");
    expect(existsSync(join((await openImage(file)).rootDirectory, "mark"))).toBe(true);
  });

  it("does not hold what an older version has unpacked otherwise", async () => {
    const { file } = await image();
    const { rootDirectory } = await openImage(file);
    const record = join(rootDirectory, "../record.json");
    const { version, ...rest } = JSON.parse(readFileSync(record, "utf8"));
    writeFileSync(record, JSON.stringify({ ...rest, version: version - 1 }));
    writeFileSync(join(rootDirectory, "a"), "old");
    expect(read(await openImage(file))).toBe("x");
  });

  it("is refused when others can use it, or it is none", async () => {
    const { directory, file } = await image();
    const cache = join(directory, "cache/sandboxlib");
    await openImage(file);
    for (const path of [cache, join(cache, "images"), join(cache, "private")]) {
      chmodSync(path, 0o755);
      const error = await rejection(openImage(file));
      expect([error.code, error.message]).toEqual([
        "IMAGE_INVALID",
        `the cache ${path} can be used by other users`,
      ]);
      chmodSync(path, 0o700);
    }
    renameSync(cache, `${cache}.real`);
    symlinkSync(`${cache}.real`, cache);
    expect((await rejection(openImage(file))).message).toBe(`the cache ${cache} is no directory`);
  });

  it("is refused where others could put another one in its place", async () => {
    const { directory, file } = await image();
    const above = join(directory, "cache");
    mkdirSync(above);
    chmodSync(above, 0o777);
    expect((await rejection(openImage(file))).message).toBe(
      `the cache ${above}/sandboxlib lies in ${above}, which others can write to`,
    );
    chmodSync(above, 0o1777);
    await openImage(file);
  });

  const asRoot = process.getuid?.() === 0;
  const userNamespace = ["unshare", "--user", "--map-root-user"] as const;
  const lacksNamespaces = asRoot
    ? " (skipped: root is root there as well)"
    : lackingToRun(...userNamespace, "true");
  it.skipIf(lacksNamespaces !== "")(
    `is used in a user namespace, where the root of the host has another id${lacksNamespaces}`,
    async () => {
      const { file } = await image();
      await openImage(file);
      const [unshare, ...args] = [...userNamespace, process.execPath, CALLER, file];
      const { stdout, stderr } = spawnSync(unshare, args, { encoding: "utf8" });
      expect([JSON.parse(stdout || "{}").unpacked, stderr]).toEqual([0, ""]);
    },
  );

  const lacksOthers = process.getuid?.() === 0 ? "" : " (skipped: needs root)";
  it.skipIf(lacksOthers !== "")(
    `is refused where another user could put another one in its place${lacksOthers}`,
    async () => {
      const { directory, file } = await image();
      const above = join(directory, "theirs");
      mkdirSync(join(above, "deep"), { recursive: true });
      chownSync(above, 65_534, 65_534);
      symlinkSync(join(above, "deep"), join(directory, "cache"));
      expect((await rejection(openImage(file))).message).toBe(
        `the cache ${directory}/cache/sandboxlib lies in ${above}, which belongs to another user`,
      );
    },
  );

  it("checks a digest that is asked for, also when the image is there already", async () => {
    const { file } = await image();
    const { digest } = await openImage(file);
    expect((await openImage(file, { digest })).digest).toBe(digest);
    expect((await openImage(file, { digest: digest.slice(0, 39) })).digest).toBe(digest);
    const wrong = `sha256:${"0".repeat(64)}`;
    expect((await rejection(openImage(file, { digest: wrong }))).message).toBe(
      `the image is ${digest}, and not ${wrong}`,
    );
    for (const short of ["sha256:12", digest.slice(0, 38)])
      expect((await rejection(openImage(file, { digest: short }))).message).toMatch(
        /is no digest of at least 32 digits/,
      );
  });

  it("tells how far the unpacking has come", async () => {
    const { file } = await image("x".repeat(2 ** 26));
    const told: number[] = [];
    await openImage(file, { onProgress: ({ read: bytes, total }) => told.push(bytes / total) });
    expect(told.length).toBeGreaterThan(0);
    expect(told.every((part) => part > 0 && part <= 1)).toBe(true);
  });
});

function lackingToRun(program: string, ...args: readonly string[]): string {
  return spawnSync(program, args).status === 0 ? "" : ` (skipped: no ${program} here)`;
}

interface Ended {
  readonly unpacked: number;
}

/** Opens an image in another process, which prints how often it has unpacked the image. */
function started(file: string, how = "fast") {
  const child = spawn(process.execPath, [CALLER, file, how], {
    stdio: ["ignore", "pipe", "inherit"],
    env: process.env,
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    said += chunk;
  });
  const ended = once(child, "close").then((): Ended => JSON.parse(said || '{"unpacked":-1}'));
  ended.catch(() => undefined);
  return { child, ended };
}
