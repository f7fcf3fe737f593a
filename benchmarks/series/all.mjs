import { bubblewrapSeries } from "./bubblewrap.mjs";
import { chrootSeries } from "./chroot.mjs";
import { cliSeries } from "./cli.mjs";
import { compileSeries } from "./compile.mjs";
import { concurrencySeries } from "./concurrency.mjs";
import { imageSeries } from "./image.mjs";
import { launchSeries } from "./launch.mjs";
import { memorySeries } from "./memory.mjs";
import { mountsSeries } from "./mounts.mjs";
import { throughputSeries } from "./throughput.mjs";

/** Every series, in the order in which they run. */
export const SERIES = {
  launch: launchSeries,
  concurrency: concurrencySeries,
  mounts: mountsSeries,
  throughput: throughputSeries,
  memory: memorySeries,
  compile: compileSeries,
  bubblewrap: bubblewrapSeries,
  chroot: chrootSeries,
  cli: cliSeries,
  image: imageSeries,
};
