import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { dirname } from "node:path";
import { CliError } from "../errors.js";

/**
 * The directory of this user's sessions, which nobody else can enter. It lies below /tmp, which a sandbox covers by default:
 * a program in one cannot reach the session of another.
 */
export function sessionDirectory(): string {
  const uid = process.geteuid?.() ?? 0;
  const path = `/tmp/sandboxlib-${uid}`;
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch {
    // Something is there, or nothing can be: the look says which.
  }
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true && stat.uid === uid && (stat.mode & 0o077) === 0) return path;
  throw new CliError(
    `${path} is not a directory of this user's alone, and sessions are kept there`,
    {
      hint: "Remove it, or have it removed.",
      exitCode: 125,
    },
  );
}

/** A new name, and the path of its socket. */
export function newPlace(): { readonly name: string; readonly path: string } {
  const name = randomBytes(6).toString("hex");
  return { name, path: `${sessionDirectory()}/${name}` };
}

/** Removes the socket of a session, and the directory with the last of them. */
export function removePlace(path: string): void {
  rmSync(path, { force: true });
  try {
    rmdirSync(dirname(path));
  } catch {
    // There are others in it.
  }
}

/** Connects to the process that holds a session. @throws CliError if there is none of that name */
export async function connectTo(name: string | undefined): Promise<Socket> {
  if (name === undefined) throw new CliError("NAME: is missing");
  if (!/^[0-9a-f]{12}$/.test(name)) throw noSession(name);
  const path = `${sessionDirectory()}/${name}`;
  const socket = connect(path);
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      // Its process was killed and could not remove it.
      if (error.code === "ECONNREFUSED") removePlace(path);
      reject(noSession(name));
    });
  });
}

function noSession(name: string): CliError {
  return new CliError(`${JSON.stringify(name)}: there is no such session of this user`, {
    hint: "`sandboxlib session start` prints the name of a new one.",
    exitCode: 125,
  });
}
