import { bubblewrapSeries } from "./bubblewrap.mjs";
import { chrootSeries } from "./chroot.mjs";
import { cliSeries } from "./cli.mjs";
import { compileSeries } from "./compile.mjs";
import { concurrencySeries } from "./concurrency.mjs";
import { heapSeries } from "./heap.mjs";
import { imageSeries } from "./image.mjs";
import { launchSeries } from "./launch.mjs";
import { limitSeries } from "./limit.mjs";
import { memorySeries } from "./memory.mjs";
import { mountsSeries } from "./mounts.mjs";
import { ociSeries } from "./oci.mjs";
import { planSeries } from "./plan.mjs";
import { seccompSeries } from "./seccomp.mjs";
import { throughputSeries } from "./throughput.mjs";

/** Every series, in the order in which they run. */
export const SERIES = {
  launch: launchSeries,
  limit: limitSeries,
  plan: planSeries,
  concurrency: concurrencySeries,
  mounts: mountsSeries,
  throughput: throughputSeries,
  memory: memorySeries,
  heap: heapSeries,
  compile: compileSeries,
  bubblewrap: bubblewrapSeries,
  chroot: chrootSeries,
  oci: ociSeries,
  seccomp: seccompSeries,
  cli: cliSeries,
  image: imageSeries,
};
