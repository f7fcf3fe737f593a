import { lstatSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { dirname } from "node:path";
import { randomHex } from "@sandboxlib/core/internal";
import { CliError } from "../errors.js";

const UID = process.geteuid?.() ?? 0;

/** Where the sockets of this user's sessions are, if there are any. */
export const DIRECTORY: string = `/tmp/sandboxlib-${UID}`;

/**
 * The directory of this user's sessions, which nobody else can enter. It lies below /tmp, which a sandbox covers by default:
 * a program in one cannot reach the session of another.
 */
export function sessionDirectory(): string {
  try {
    mkdirSync(DIRECTORY, { mode: 0o700 });
  } catch {
    // Something is there, or nothing can be: the look says which.
  }
  if (isOurs()) return DIRECTORY;
  throw new CliError(
    `${DIRECTORY} is not a directory of this user's alone, and sessions are kept there`,
    {
      hint: "Remove it, or have it removed.",
      exitCode: 125,
    },
  );
}

/** Whether there is one, and only this user can enter it. */
export function isOurs(): boolean {
  const stat = lstatSync(DIRECTORY, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === UID && (stat.mode & 0o077) === 0;
}

/** A new name, and the path of its socket. */
export function newPlace(): { readonly name: string; readonly path: string } {
  const name = randomHex(6);
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

/** How long a daemon may take to say that it is there, in milliseconds. */
const ANSWER_TIMEOUT = 10_000;

/**
 * Connects to the process that holds a session, which says first that it is there.
 *
 * @throws CliError if there is none of that name, or it does not answer.
 */
export async function connectTo(name: string | undefined): Promise<Socket> {
  assertNamed(name);
  if (!NAME.test(name)) throw noSession(name);
  const path = `${sessionDirectory()}/${name}`;
  const socket = connect(path);
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(noAnswer(name)), ANSWER_TIMEOUT);
      // Until it is asked for something, it says nothing more.
      socket.once("data", () => resolve());
      socket.once("error", (error: NodeJS.ErrnoException) => {
        // Its process was killed and could not remove it.
        if (error.code === "ECONNREFUSED") removePlace(path);
        reject(noSession(name));
      });
      socket.once("close", () => reject(noSession(name)));
    });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** @throws CliError where there is no name of a session. */
export function assertNamed(name: string | undefined): asserts name is string {
  if (name !== undefined) return;
  throw new CliError("NAME: is missing", {
    hint: "It is what `sandboxlib session start` has printed.",
  });
}

/** What sessions are called. */
export const NAME: RegExp = /^[0-9a-f]{12}$/;

function noAnswer(name: string): CliError {
  return new CliError(
    `${JSON.stringify(name)}: the process that holds the session does not answer within ten seconds`,
    {
      hint: "It may be stopped. SIGCONT lets it go on, and SIGKILL ends the session with it.",
      exitCode: 125,
    },
  );
}

function noSession(name: string): CliError {
  return new CliError(`${JSON.stringify(name)}: there is no such session of this user`, {
    hint: "`sandboxlib session start` prints the name of a new one.",
    exitCode: 125,
  });
}
