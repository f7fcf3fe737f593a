import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { findLauncher } from "../lib/index.js";
import { command, frame, record, setup, u8, u32 } from "./parser-bytes.js";

/** What the launcher said before it ended, and whether pid 1 of its sandbox is still there. */
export interface Said {
  readonly exitCode: number | null;
  readonly types: string;
  /** Of the last frame, where that is a failure. */
  readonly failed:
    | { id: number; kind: number; errno: number; field: string; what: string }
    | undefined;
  readonly left: boolean;
}

const launcher = findLauncher();

/** A set-up that is right, for whoever runs this. */
export const RIGHT_IDS: Buffer = record("I", u32(process.getuid?.() ?? 0, process.getgid?.() ?? 0));
export const RIGHT_SETUP: Buffer = frame("S", setup({ ids: RIGHT_IDS }));
export const RIGHT_SESSION: Buffer = frame(
  "S",
  setup({ ids: RIGHT_IDS, mode: record("M", u8(1)) }),
);

/** Sends bytes to a launcher, and waits for its end. Nothing is closed before it has said that it failed. */
export function launch(...frames: readonly Uint8Array[]): Promise<Said> {
  return talk(start(), (core) => core.write(Buffer.concat(frames)));
}

/** Sends bytes to a launcher, and nothing after them. */
export function cutOff(...frames: readonly Uint8Array[]): Promise<Said> {
  return talk(start(), (core) => core.end(Buffer.concat(frames)));
}

/** Sends a session files as the standard output of commands, one after the other, and then bytes. */
export async function launchWithStreams(
  sent: readonly (readonly [id: number, file: number])[],
  ...frames: readonly Uint8Array[]
): Promise<Said> {
  const session = start();
  for (const [id, file] of sent) {
    const stdio = ["ignore", file, "ignore", session.stdio[4] as Socket] as const;
    const sender = spawn(session.spawnfile, ["send-fds", String(id)], {
      env: {},
      stdio: [...stdio],
    });
    const [exitCode] = (await once(sender, "exit")) as [number | null];
    if (exitCode !== 0) throw new Error(`the streams were not sent: ${exitCode}`);
  }
  return talk(session, (core) => core.write(Buffer.concat(frames)));
}

/** Sends bytes to a fork server, and waits for its end. */
export function serve(...frames: readonly Uint8Array[]): Promise<Said> {
  return talk(start("serve"), (core) => core.write(Buffer.concat(frames)));
}

/** What a fork server says of its only launcher, which is stopped, and so has to be killed when it is to end. */
export async function serveStopped(request: Uint8Array, end: Uint8Array): Promise<string> {
  const child = start("serve");
  const core = child.stdio[3] as Socket;
  let heard = Buffer.alloc(0);
  const types = (): string => typesOf([...split(heard)]);
  const until = (type: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (types().includes(type)) resolve();
      };
      core.on("data", look);
      look();
    });
  core
    .on("error", () => undefined)
    .on("data", (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
    });
  core.write(request);
  await until("U");
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
  for (const pid of children.trim().split(" ")) process.kill(Number(pid), "SIGSTOP");
  core.write(end);
  await until("G");
  core.end();
  await once(child, "exit");
  for (const stream of child.stdio) stream?.destroy();
  return types();
}

/** Why the launcher cannot be tried here, for a title. */
export const unusable: string | undefined = await trial();

async function talk(child: ChildProcess, say: (core: Socket) => void): Promise<Said> {
  const core = child.stdio[3] as Socket;
  core.on("error", () => undefined);
  let heard = Buffer.alloc(0);
  core.on("data", (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
    // As core does: the launcher waits for it, a second at most.
    if ([...split(heard)].some((report) => [0x46, 0x58].includes(report[0] ?? 0))) core.end();
  });
  say(core);
  const [bytes, [exitCode]] = await Promise.all([buffer(core), once(child, "exit")]);
  for (const stream of child.stdio) stream?.destroy();
  const reports = [...split(bytes)];
  const ready = reports.find((report) => report[0] === 0x52);
  const last = reports.at(-1);
  return {
    exitCode: exitCode as number | null,
    types: typesOf(reports),
    failed: last?.[0] === 0x46 ? failure(last) : undefined,
    left: ready !== undefined && existsSync(`/proc/${ready.readUInt32LE(1)}`),
  };
}

function start(word = "31"): ChildProcess {
  if (!("path" in launcher)) throw new Error(launcher.reason);
  return spawn(launcher.path, [word], {
    env: {},
    stdio: ["ignore", "ignore", "inherit", "pipe", "pipe"],
  });
}

async function trial(): Promise<string | undefined> {
  if (!("path" in launcher)) return launcher.reason;
  const { types, failed } = await launch(RIGHT_SETUP, frame("C", command({})));
  return types === "RX" ? undefined : `no sandbox can be made: ${failed?.what ?? types}`;
}

function typesOf(reports: readonly Buffer[]): string {
  return reports.map((report) => String.fromCharCode(report[0] ?? 0)).join("");
}

function* split(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length) return;
    yield bytes.subarray(at + 4, end);
    at = end;
  }
}

function failure(report: Buffer): Said["failed"] {
  const field = 14 + report.readUInt32LE(10);
  return {
    id: report.readUInt32LE(1),
    kind: report.readUInt8(5),
    errno: report.readInt32LE(6),
    field: report.toString("utf8", 14, field - 1),
    what: report.toString("utf8", field + 4, report.length - 1),
  };
}
