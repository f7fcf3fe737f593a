// Modules of Node that most runs have no use for: to load one of them takes about as long as the kernel takes for a namespace.

/** Random bytes that nobody can guess, in hexadecimal. */
export function randomHex(bytes: number): string {
  return process.getBuiltinModule("node:crypto").randomBytes(bytes).toString("hex");
}

/** Whether this is no worker thread. */
export function isMainThread(): boolean {
  return process.getBuiltinModule("node:worker_threads").isMainThread;
}

/** Milliseconds since some moment, as `performance.now()` has it, whose module takes half a millisecond to load. */
export function now(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
