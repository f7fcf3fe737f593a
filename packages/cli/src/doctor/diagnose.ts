import { ownProfile, restricted } from "./apparmor.js";
import { filterLikely, filterShown } from "./filters.js";
import {
  chrooted,
  cloneSwitch,
  limits,
  maskedProc,
  noSysAdmin,
  notBuilt,
  powerlessRoot,
} from "./kernel.js";
import type { Observed } from "./observe.js";
import { noRange } from "./range.js";
import { type Diagnosis, errorIn, type Finder } from "./seen.js";
import type { Step } from "./steps.js";

/** Finds what has refused a step, of which the ones before it worked. It claims no more than that and the host's files show. */
export function diagnose(step: Step, said: string, host: Observed): Diagnosis {
  const seen = { step, said, error: errorIn(said), host };
  for (const find of FINDERS[step]) {
    const found = find(seen);
    if (found !== undefined) return found;
  }
  return {
    layer: "unknown",
    cause: `it is refused, and nothing here tells by what: ${said}`,
    fix: "Look for a rule of a security module (SELinux, AppArmor, BPF), and at what whoever started this process forbids it.",
  };
}

/** The possible causes for each step, the ones that are certain first. */
const FINDERS: Readonly<Record<Step, readonly Finder[]>> = {
  call: [filterShown],
  user: [notBuilt, limits, cloneSwitch, chrooted, restricted, filterLikely],
  map: [powerlessRoot, restricted, ownProfile],
  mount: [limits, restricted, ownProfile, filterLikely],
  net: [limits, restricted, ownProfile, filterLikely],
  proc: [limits, maskedProc, ownProfile, filterLikely],
  range: [noRange],
  root: [limits, noSysAdmin, ownProfile, filterLikely],
};
