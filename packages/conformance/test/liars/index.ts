import { CGROUPS } from "./cgroups.js";
import { FILES } from "./files.js";
import { ISOLATION } from "./isolation.js";
import type { Liar } from "./liar.js";
import { LIMITS } from "./limits.js";
import { OVERLAYS } from "./overlays.js";
import { PATHS } from "./paths.js";
import { POOLS } from "./pools.js";
import { RECEIPTS } from "./receipts.js";
import { RUNS } from "./runs.js";
import { SAYS } from "./says.js";
import { SESSIONS } from "./sessions.js";
import { SMALL } from "./small.js";
import { STREAMS } from "./streams.js";
import { TERMINALS } from "./terminals.js";
import { WAYS } from "./ways.js";

/** Every liar. */
export const liars: readonly Liar[] = [
  ...SMALL,
  ...SAYS,
  ...RUNS,
  ...STREAMS,
  ...WAYS,
  ...FILES,
  ...ISOLATION,
  ...PATHS,
  ...SESSIONS,
  ...POOLS,
  ...LIMITS,
  ...TERMINALS,
  ...CGROUPS,
  ...OVERLAYS,
  ...RECEIPTS,
];
