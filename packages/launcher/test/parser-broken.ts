import { BROKEN_CAPABILITIES } from "./parser-broken-capabilities.js";
import { BROKEN_CGROUPS } from "./parser-broken-cgroups.js";
import { BROKEN_FILTERS } from "./parser-broken-filters.js";
import { BROKEN_HEADS } from "./parser-broken-heads.js";
import { BROKEN_MAPS } from "./parser-broken-maps.js";
import { BROKEN_MOUNTS, BROKEN_RECORDS } from "./parser-broken-mounts.js";
import { BROKEN_OVERLAYS } from "./parser-broken-overlays.js";
import type { Broken } from "./parser-crooked.js";

/** Set-ups that contradict the protocol or themselves. */
export const BROKEN_SETUPS: readonly Broken[] = [
  ...BROKEN_HEADS,
  ...BROKEN_MAPS,
  ...BROKEN_CAPABILITIES,
  ...BROKEN_CGROUPS,
  ...BROKEN_OVERLAYS,
  ...BROKEN_FILTERS,
  ...BROKEN_RECORDS,
  ...BROKEN_MOUNTS,
];
