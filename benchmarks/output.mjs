import { execFileSync, spawn } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A program with its output on what Node calls a pipe, which is a pair of sockets. It has a session of its own, as in every
 * sandbox: the kernel shares the processors among sessions, and on a busy machine one alone is slower.
 */
export function plainSpawn([program, ...args]) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"], detached: true });
  return { stdout: child.stdout, result: new Promise((resolve) => child.on("close", resolve)) };
}

/** The same with a pipe as pipe(2) makes it, which is slower: Node has no other way to one than a file. */
export function fifoSpawn([program, ...args]) {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-bench-"));
  const path = join(directory, "pipe");
  execFileSync("/usr/bin/mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  rmSync(directory, { recursive: true });
  const child = spawn(program, args, { stdio: ["ignore", writer, "ignore"], detached: true });
  closeSync(writer);
  const stdout = new Socket({ fd: reader, readable: true, writable: false });
  return { stdout, result: new Promise((resolve) => child.on("close", resolve)) };
}

/** Collects it all into one buffer. */
export async function plainRun(argv) {
  const { stdout, result } = plainSpawn(argv);
  const chunks = [];
  stdout.on("data", (chunk) => chunks.push(chunk));
  await result;
  return { stdout: Buffer.concat(chunks) };
}
