import type { ChildProcess } from "node:child_process";
import type { Streams } from "../../backend/running.js";

/** Keeps this process alive for a launcher until the function that it returns is called. */
export type KeepAlive = () => () => void;

/** From now on, a launcher, and the streams of its program, keep this process alive only while it is held. */
export function keepAlive(child: ChildProcess, streams: Partial<Streams> = {}): KeepAlive {
  const handles = [
    child,
    ...child.stdio,
    ...Object.values(streams),
  ] as unknown as (Handle | null)[];
  const all = (act: "ref" | "unref"): void => {
    // A closed stream keeps nothing alive, and `ref` would make it wait for a new connection.
    for (const handle of handles) if (handle?.destroyed !== true) handle?.[act]();
  };
  let count = 0;
  all("unref");
  return () => {
    count += 1;
    if (count === 1) all("ref");
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      count -= 1;
      if (count === 0) all("unref");
    };
  };
}

interface Handle {
  readonly destroyed?: boolean;
  ref(): void;
  unref(): void;
}
