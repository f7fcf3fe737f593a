// A process with so many MiB of heap, which runs contenders when its parent says so, and answers with the milliseconds.
// Arguments: the MiB, and the contenders' names.
import { prepare } from "./contenders/all.mjs";

const MIB = 131_072; // numbers of eight bytes
const [size, ...names] = process.argv.slice(2);
const one = Array.from({ length: MIB }, (_, at) => at + 0.5);
const ballast = Array.from({ length: Number(size) }, () => one.slice());
const { ready, skipped, close } = await prepare(names, { argv: ["/bin/true"] });

process.on("message", (name) => void answer(name));
process.on("disconnect", () => void leave());
process.send({ ready: Object.keys(ready), skipped, heap: process.memoryUsage().heapUsed });

async function answer(name) {
  const start = performance.now();
  await ready[name].run();
  process.send(performance.now() - start);
}

async function leave() {
  await close();
  process.exit(ballast.length === Number(size) ? 0 : 1);
}
