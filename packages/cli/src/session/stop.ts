import { once } from "node:events";
import { assertUsable, type CommandLine } from "../command-line.js";
import { CliError } from "../errors.js";
import { frame } from "./frame.js";
import { connectTo } from "./place.js";

/** Ends a session with everything that runs in it. Returns when it is gone. */
export async function stop(line: CommandLine): Promise<number> {
  assertUsable(line);
  const [more] = line.program;
  if (more !== undefined)
    throw new CliError(`${JSON.stringify(more)}: is one word too many`, {
      hint: "Each session is stopped by a call of its own.",
    });
  const socket = await connectTo(line.root);
  socket.on("error", () => undefined);
  socket.resume();
  socket.write(frame("stop"));
  await once(socket, "close");
  return 0;
}
