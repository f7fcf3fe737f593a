import type { Capability, Config } from "@sandboxlib/core";
import type { Field } from "./field.js";
import type { Seen } from "./seen.js";

export { refused, type Seen, succeeded, untried } from "./seen.js";

/** One attempt to do what a sandbox should prevent, as data: `prove` makes a line of the table of it. */
export interface Attack {
  /** What is attempted: what would be true if it succeeded. */
  readonly title: string;
  /**
   * The words that promise that it fails, all of them together; `always` where every sandbox promises it, and none where no
   * word does.
   */
  readonly about: readonly Capability[] | "always";
  /** Whether what the config says beside these words promises it, too: not every profile of system calls does. Default: yes. */
  readonly isPromised?: (config: Config) => boolean;
  /** The change of the config after which something promises it, or what can be done instead. */
  readonly remedy: string;
  /** Tries it, where the config lets it be tried. What it throws that is no `SandboxError` is a fault of its own. */
  readonly run: (field: Field) => Promise<Seen>;
}
