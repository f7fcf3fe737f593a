import type { ConfigInput } from "@sandboxlib/core";
import { setsUp } from "../lasting-lies.js";
import { obliging } from "../library-lies.js";
import { withoutSelfBinds } from "../lies.js";
import { inEveryWay } from "../way-lies.js";
import type { Liar } from "./liar.js";

/** Liars about what lies over a root. */
export const OVERLAYS: readonly Liar[] = [
  {
    does: "writes to the root itself",
    lie: () => inEveryWay({ config: withoutOverlay }),
    mayEndIn: /^PATH_INVALID: mounts\[0\]\.target: "\/only-there" does not exist/,
    caughtBy: ["overlay: what is", "overlay: what was", "overlay: a mount point"],
  },
  {
    does: "takes the name of a layer apart",
    lie: () =>
      setsUp(({ overlay, ...setup }) => ({
        ...setup,
        ...(overlay && {
          overlay: { ...overlay, upper: overlay.upper.replace(/[,:\\].*/s, "") },
        }),
      })),
    caughtBy: ["overlay: a layer"],
  },
  {
    does: "lets directories above what is hidden in an overlay be renamed",
    lie: () => setsUp((setup) => ({ ...setup, mounts: withoutSelfBinds(setup.mounts) })),
    caughtBy: ["overlay: no directory"],
  },
  {
    does: "takes a layer that is not there for an empty one",
    lie: () => obliging(setsUp((setup) => setup)),
    caughtBy: ["overlay: a directory"],
  },
];

function withoutOverlay(config: ConfigInput): ConfigInput {
  const { overlay: _, ...others } = config;
  return others;
}
