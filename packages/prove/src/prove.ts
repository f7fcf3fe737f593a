import {
  type Capability,
  type ConfigInput,
  createSandbox,
  type Dropped,
  isSandboxError,
  type SandboxOptions,
} from "@sandboxlib/core";
import type { Attack, Seen } from "./attack.js";
import { attacks } from "./attacks/index.js";
import { type Field, onField } from "./field.js";
import { lackingIn, remedyFor } from "./remedies.js";

/** What came of one attack. */
export interface Proved {
  /** What was attempted. */
  readonly title: string;
  /** The words that promise that it fails; `always` where every sandbox does. Empty: no word of the vocabulary does. */
  readonly about: readonly Capability[] | "always";
  /**
   * `held`: it was promised to fail, and failed for the right reason. `failed`: it was, and succeeded. `not-claimed`: the
   * config does not ask for it, or it was let go. `not-tried`: it would have proved nothing here.
   */
  readonly verdict: "held" | "failed" | "not-claimed" | "not-tried";
  /** Whether the attempt succeeded. */
  readonly succeeded: boolean;
  /** Which way succeeded, with which error each was refused, or why nothing was tried. */
  readonly seen: string;
  /** What to change so that it fails; absent where it does. */
  readonly remedy?: string;
}

/** What a proof is made with, in place of the library's own: for tests of backends. */
export interface Library {
  readonly createSandbox?: typeof createSandbox;
  /** Default: all of them. */
  readonly attacks?: readonly Attack[];
}

/** A sandbox that was attacked. */
export interface Proof {
  readonly backend: string;
  readonly attacks: readonly Proved[];
  /** What the config asks for and the caller let go. */
  readonly dropped: readonly Dropped[];
}

/**
 * Attacks the sandbox of a config, on this host, with hostile programs inside it. Nothing of the caller's is changed: what
 * is theirs is attacked in ways that leave it as it is when they succeed, and the rest is ours and removed.
 *
 * @throws SandboxError what a run with the config would throw; `PATH_INVALID` where the program that attacks has no place
 * inside, `LAUNCH_FAILED` where there is none for this machine.
 */
export async function prove(
  input: ConfigInput,
  options: SandboxOptions = {},
  library: Library = {},
): Promise<Proof> {
  return onField(input, options, library.createSandbox ?? createSandbox, async (field) => {
    const proved: Proved[] = [];
    // One after the other: some look at what the host has, and at what a run leaves there.
    for (const attack of library.attacks ?? attacks) proved.push(await proveOne(attack, field));
    const { backend, dropped } = field.sandbox;
    return { backend, attacks: proved, dropped };
  });
}

async function proveOne(attack: Attack, field: Field): Promise<Proved> {
  const { title, about } = attack;
  const isClaimed =
    about === "always" || (about.length > 0 && lackingIn(attack, field).length === 0);
  const { outcome, seen } = await attempt(attack, field);
  const isOpen = outcome === "succeeded";
  return {
    title,
    about,
    verdict: verdictOf(outcome, isClaimed),
    succeeded: isOpen,
    seen,
    ...(isOpen && { remedy: isClaimed ? broken(field.sandbox.backend) : remedyFor(attack, field) }),
  };
}

/** What core itself finds to be otherwise than promised has failed, whatever the program came to. */
async function attempt({ run }: Attack, field: Field): Promise<Seen> {
  try {
    return await run(field);
  } catch (error) {
    if (!isSandboxError(error)) throw error;
    const seen = `${error.code}: ${error.message}`;
    return { outcome: error.code === "VERIFY_FAILED" ? "succeeded" : "untried", seen };
  }
}

function verdictOf(outcome: Seen["outcome"], isClaimed: boolean): Proved["verdict"] {
  if (outcome === "untried") return "not-tried";
  if (!isClaimed) return "not-claimed";
  return outcome === "succeeded" ? "failed" : "held";
}

function broken(backend: string): string {
  return `The backend ${backend} does not keep what it promises here: use another one, and report this.`;
}
