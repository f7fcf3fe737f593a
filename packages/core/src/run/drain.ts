import type { Capture } from "./capture.js";

const STEP = 100;
const STEPS = 20;

/**
 * What was captured, once the run is over: a process that was not killed, where the backend cannot, may hold the pipe,
 * so it waits for the rest, but not for ever. In steps, between which Node reads: where this process was busy, one long
 * wait would be over before anything was read.
 */
export async function drained(captured: Capture | undefined): Promise<Uint8Array | undefined> {
  for (let step = 0; step < STEPS && captured?.closed() === false; step += 1)
    await orLater(captured.done, STEP);
  if (captured?.closed() === false) captured.cut();
  await captured?.done;
  return captured?.bytes();
}

function orLater(done: Promise<void>, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    void done.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
