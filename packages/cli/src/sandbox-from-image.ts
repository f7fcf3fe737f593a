import type { ConfigInput, SandboxResult } from "@sandboxlib/core";
import { UNTRIED } from "@sandboxlib/core/internal";
import { openImage, openImageSandbox, untoldNotes, withImage } from "@sandboxlib/image";
import type { CommandLine } from "./command-line.js";
import { chosenUser, configFromOptions, withUserIds } from "./config-from-options.js";
import { withOrigin } from "./origins.js";
import type { Io } from "./output.js";
import { unpackingOf } from "./progress.js";
import {
  assertFormatTakes,
  imageOptions,
  type RunCommand,
  type SandboxRequest,
  sandboxOptions,
} from "./sandbox-request.js";

/** Reads which sandbox a command line asks for whose root is an image. @throws SandboxError if it cannot be opened. */
export async function sandboxFromImage(
  line: CommandLine,
  file: ConfigInput,
  path: string,
  { stderr }: Io,
): Promise<SandboxRequest> {
  const unpacking = unpackingOf(path, stderr);
  const options = { ...imageOptions(line), user: chosenUser(line, file), ...unpacking.options };
  const image = await unpacking.during(async () => openImage(path, options));
  assertFormatTakes(line, image.format);
  const unnamed = configFromOptions(line, file, (own) => ({
    ...withImage(image.config, own),
    root: path,
  }));
  const written = await withUserIds(line, unnamed, image.rootDirectory);
  const { preStart = [], postStop = [] } = image;
  return {
    written,
    async open(isUntried = false) {
      try {
        const opened = await openImageSandbox(image, written.config, {
          ...sandboxOptions(line),
          // An event handler may have run already when the next one cannot be started.
          ...(isUntried && preStart.length + postStop.length === 0 && { [UNTRIED]: true }),
        });
        const notes = [...image.notes, ...opened.notes];
        return {
          sandbox: opened.sandbox,
          notes,
          untold: () => untoldNotes(image, notes),
          runAll: (run) => runWithHooks(run, preStart, postStop),
          close: async () => opened[Symbol.asyncDispose](),
        };
      } catch (error) {
        throw withOrigin(error, written.origins);
      }
    },
  };
}

/** Runs the event handlers of an App Container image around the program. */
async function runWithHooks(
  run: RunCommand,
  preStart: readonly (readonly string[])[],
  postStop: readonly (readonly string[])[],
): Promise<SandboxResult> {
  if (preStart.length + postStop.length === 0) return run(undefined);
  const { runApps } = await import("@sandboxlib/image-appc");
  const [app] = await runApps([{ preStart, postStop, run }]);
  const result = app?.result ?? app?.failed;
  if (result === undefined) throw new TypeError("an app has a result");
  return result;
}
