// Opens an image and says how often it was unpacked here (the kernel does not tell, progress does), and how much memory
// this process had at most, in KiB. `slow` never ends.
import { openImage } from "../dist/index.js";

const [, , file, how] = process.argv;
let unpacked = 0;
await openImage(file, {
  onProgress() {
    unpacked = 1;
    if (how === "slow") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
process.stdout.write(JSON.stringify({ unpacked, memory: process.resourceUsage().maxRSS }));
