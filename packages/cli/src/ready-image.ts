import type { SandboxResult } from "@sandboxlib/core";
import { openImage, openImageSandbox, withImage } from "@sandboxlib/image";
import type { CommandLine } from "./command-line.js";
import { chosenUser, configFromOptions } from "./config-from-options.js";
import { imageOptions } from "./image-options.js";
import { interruptible } from "./interrupted.js";
import type { Io } from "./io.js";
import { withOrigin } from "./origins.js";
import { progressOn } from "./progress.js";
import type { Asked, RunOne } from "./ready.js";
import { sandboxOptions } from "./sandbox-from-line.js";

/** What a command line asks of an image, which is unpacked if it is not yet in the cache. */
export async function askedOfImage(
  line: CommandLine,
  path: string,
  { stderr }: Io,
): Promise<Asked> {
  const progress = progressOn(stderr, path);
  const { signal, during } = interruptible();
  const told = { onProgress: progress.tell, onWait: progress.wait, signal };
  const options = { ...imageOptions(line), user: chosenUser(line), ...told };
  const image = await during(async () => openImage(path, options)).finally(progress.end);
  const written = configFromOptions(line, (own) => ({
    ...withImage(image.config, own),
    root: path,
  }));
  const { preStart = [], postStop = [] } = image;
  return {
    written,
    async open() {
      try {
        const opened = await openImageSandbox(image, written.config, sandboxOptions(line));
        return {
          sandbox: opened.sandbox,
          notes: [...image.notes, ...opened.notes],
          around: (runOne) => surrounded(runOne, preStart, postStop),
          close: async () => opened[Symbol.asyncDispose](),
        };
      } catch (error) {
        throw withOrigin(error, written.origins);
      }
    },
  };
}

async function surrounded(
  run: RunOne,
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
