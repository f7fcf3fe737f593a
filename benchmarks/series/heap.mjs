import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { atMost } from "../budget.mjs";
import { RIVALS } from "../contenders/all.mjs";

const SIZES = [0, 256, 1024];
const OURS = ["sandboxlib, namespaces", "sandboxlib, session", "sandboxlib, bubblewrap"];
const NAMES = ["plain spawn", "execa", "bwrap", ...OURS, ...RIVALS];
const CHILD = fileURLToPath(new URL("../heap-child.mjs", import.meta.url));

/** What the memory of the program that starts a sandbox adds to the start. Each size is a process of its own. */
export async function heapSeries(rounds) {
  const children = [];
  const close = () => Promise.all(children.map(({ close }) => close()));
  for (const size of SIZES) children.push(await childWith(size));
  return {
    name: "heap",
    title: "Launch of /bin/true from a Node process with so much heap",
    unit: "ms",
    together: true,
    points: children.map(({ runs, label }) => ({ label, rounds: Math.ceil(rounds / 4), runs })),
    skipped: children[0].skipped,
    budgets: (...figures) => OURS.map((name) => hardlyMore(name, figures)),
    close,
  };
}

/** At most this many times what it takes without a heap. */
const MOST = 1.2;

function hardlyMore(name, figures) {
  const [none, , most] = SIZES.map((size, at) => [`${name}, ${labelOf(size)}`, figures[at][name]]);
  return atMost(Object.fromEntries([none, most]), most[0], none[0], MOST);
}

function labelOf(size) {
  return `${size} MiB`;
}

async function childWith(size) {
  const execArgv = ["--max-old-space-size=4096"];
  const child = fork(CHILD, [String(size), ...NAMES], { execArgv });
  const [{ ready, skipped, heap }] = await once(child, "message");
  if (heap < size * 2 ** 20) throw new Error(`the heap has ${heap} bytes in place of ${size} MiB`);
  const run = async (name) => {
    child.send(name);
    const [milliseconds] = await once(child, "message");
    return milliseconds;
  };
  return {
    label: labelOf(size),
    runs: Object.fromEntries(ready.map((name) => [name, () => run(name)])),
    skipped,
    close: async () => {
      child.disconnect();
      await once(child, "exit");
    },
  };
}
