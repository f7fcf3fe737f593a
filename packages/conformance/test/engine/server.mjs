// An engine for the tests: a process that runs programs for whoever connects to its Unix socket.
//
// Each connection begins with a line of JSON, `{ run, role }`. The role `control` asks for a program with `argv`, `env`,
// `cwd` and `stdio`; then lines come, `{ signal }` or `{ kill: true }`, and one goes back at the end: `{ exitCode }`, which
// is 128 and the number for a signal, or `{ failed, message, hint }`. The roles `stdin`, `stdout` and `stderr` carry bytes.
// The program begins when all connections that it needs are there, and is killed when its control is gone.
import { execFileSync, spawn } from "node:child_process";
import { closeSync, constants as fs, mkdtempSync, openSync, rmSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { constants } from "node:os";
import { join } from "node:path";

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = fs;
const [, , path, scratch] = process.argv;
const runs = new Map();

createServer({ allowHalfOpen: true }, (connection) => {
  connection.on("error", () => undefined);
  readLine(connection, (line) => accept(connection, JSON.parse(line)));
}).listen(path, () => process.stdout.write("listening\n"));

/** Reads one line; what comes after it stays in the connection. */
function readLine(connection, onLine) {
  let text = Buffer.alloc(0);
  const onData = () => {
    for (let chunk = connection.read(); chunk !== null; chunk = connection.read()) {
      text = Buffer.concat([text, chunk]);
      const end = text.indexOf(10);
      if (end < 0) continue;
      connection.off("readable", onData);
      const rest = text.subarray(end + 1);
      if (rest.length > 0) connection.unshift(rest);
      onLine(text.toString("utf8", 0, end));
      return;
    }
  };
  connection.on("readable", onData);
}

function accept(connection, { run, role, ...request }) {
  const known = runs.get(run) ?? { streams: {} };
  runs.set(run, known);
  if (role === "control") Object.assign(known, { connection, request });
  else known.streams[role] = connection;
  const { request: asked, streams } = known;
  const needed =
    asked && ["stdin", "stdout", "stderr"].filter((name) => asked.stdio[name] === "pipe");
  if (needed?.every((name) => streams[name] !== undefined)) {
    runs.delete(run);
    begin(known);
  }
}

function begin({ connection, request: { argv, env, cwd, stdio }, streams }) {
  const say = (message) => connection.end(`${JSON.stringify(message)}\n`);
  const { slots, ours } = openPipes(stdio);
  const words =
    stdio.stderr === "stdout" ? ["/bin/sh", "-c", 'exec "$@" 2>&1', "sh", ...argv] : argv;
  let child;
  try {
    child = spawn(words[0], words.slice(1), { env, cwd, detached: true, stdio: slots });
  } catch (error) {
    return say(failureOf(error));
  } finally {
    for (const slot of slots) if (typeof slot === "number") closeSync(slot);
  }
  connect(ours, streams);
  const kill = (target, number) => {
    try {
      process.kill(target, number);
    } catch {
      // It has ended.
    }
  };
  const killAll = () => child.pid !== undefined && kill(-child.pid, "SIGKILL");
  connection.on("close", killAll).on("end", killAll);
  const listen = (line) => {
    const { signal } = JSON.parse(line);
    if (signal === undefined) killAll();
    else if (child.pid !== undefined && child.exitCode === null)
      kill(FROM_TERMINAL.has(signal) ? -child.pid : child.pid, signal);
    readLine(connection, listen);
  };
  readLine(connection, listen);
  child.on("error", (error) => say(failureOf(error)));
  child.on("exit", (exitCode, signal) => {
    killAll();
    say({ exitCode: exitCode ?? 128 + constants.signals[signal] });
  });
}

const FROM_TERMINAL = new Set(
  ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTSTP", "SIGSTOP", "SIGCONT"].map(
    (name) => constants.signals[name],
  ),
);
const MISSING = new Set(["ENOENT", "ENOTDIR", "ERR_INVALID_ARG_VALUE"]);
const HINT = "The kernel takes words of 128 KiB, and 2 MiB in all.";

function failureOf({ code, message }) {
  if (code === "E2BIG") return { failed: "LAUNCH_FAILED", message, hint: HINT };
  return { failed: MISSING.has(code) ? "COMMAND_NOT_FOUND" : "COMMAND_NOT_EXECUTABLE", message };
}

/** Pipes, as Node makes sockets only, which no program can open by the name of /dev/stdin. */
function openPipes(stdio) {
  const directory = mkdtempSync(join(scratch, "engine-"));
  const ours = {};
  const slots = ["stdin", "stdout", "stderr"].map((name) => {
    if (stdio[name] !== "pipe") return "ignore";
    const fifo = join(directory, name);
    execFileSync("mkfifo", [fifo]);
    // A FIFO without a reader cannot be opened for writing.
    const read = openSync(fifo, O_RDONLY | O_NONBLOCK);
    const write = openSync(fifo, O_WRONLY);
    if (name !== "stdin") {
      ours[name] = new Socket({ fd: read, writable: false });
      return write;
    }
    ours.stdin = new Socket({ fd: write, readable: false, writable: true });
    const slot = openSync(fifo, O_RDONLY);
    closeSync(read);
    return slot;
  });
  rmSync(directory, { recursive: true });
  return { slots, ours };
}

function connect({ stdin, stdout, stderr }, streams) {
  if (stdin !== undefined) streams.stdin.pipe(stdin.on("error", () => streams.stdin.destroy()));
  for (const [from, to] of [
    [stdout, streams.stdout],
    [stderr, streams.stderr],
  ]) {
    if (from === undefined) continue;
    from.on("error", () => undefined).pipe(to);
    // Nobody reads it any more: the program gets SIGPIPE.
    to.on("close", () => from.destroy());
  }
}
