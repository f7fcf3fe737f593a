import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { DIRECTORY, isOurs, NAME, removePlace } from "./place.js";

/**
 * Removes the sockets of sessions whose process was killed.
 *
 * @param isKept - Whether they are only looked for.
 * @returns their paths.
 */
export async function removeDeadSessions(isKept: boolean): Promise<string[]> {
  const dead: string[] = [];
  for (const path of sockets()) {
    // One that is just being made does not listen for a moment.
    if (!(await isRefused(path))) continue;
    await setTimeout(100);
    if (!(await isRefused(path))) continue;
    dead.push(path);
    if (!isKept) removePlace(path);
  }
  return dead;
}

/** What lies in a directory that is not ours alone is not ours to remove. */
function sockets(): string[] {
  if (!isOurs()) return [];
  const names = readdirSync(DIRECTORY).filter((name) => NAME.test(name));
  return names.map((name) => `${DIRECTORY}/${name}`);
}

async function isRefused(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    return await new Promise((resolve) => {
      socket.once("connect", () => resolve(false));
      socket.once("error", (error: NodeJS.ErrnoException) =>
        resolve(error.code === "ECONNREFUSED"),
      );
    });
  } finally {
    socket.destroy();
  }
}
