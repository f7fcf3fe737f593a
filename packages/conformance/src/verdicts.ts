import type { Capability } from "@sandboxlib/core";
import type { Case, Topic } from "./case.js";
import { ground } from "./cases/ground.js";
import { leftovers } from "./cases/leftovers.js";
import { reworded } from "./explain.js";
import type { Kit } from "./kit.js";

/** What has come out so far for a backend, by word. */
export class Verdicts {
  readonly #kit: Kit;
  readonly #proved = new Set<Capability>();
  readonly #broken = new Map<Capability, string>();
  readonly #refused = new Set<Capability>();
  readonly #skipped = new Map<string, number>();
  /** What a case would have proved that asks for a part which the backend leaves out. */
  readonly #leftOut = new Set<Capability>();
  /** Why no program runs at all, if none does. */
  #runsNothing: string | undefined;
  #isUntidy = false;

  constructor(kit: Kit) {
    this.#kit = kit;
  }

  /** Why a case would show nothing new: a word on which it stands is broken. */
  obstacle({ needs = [], isWhole }: Case): string | undefined {
    if (this.#runsNothing !== undefined) return `no program runs: ${this.#runsNothing}`;
    const words = isWhole === true ? [...this.#broken.keys()] : needs;
    const word = words.find((need) => this.#broken.has(need));
    return word === undefined ? undefined : `${word} does not hold: ${this.#broken.get(word)}`;
  }

  passed({ proves = [], lacks = [] }: Case): void {
    for (const word of proves) this.#proved.add(word);
    if (proves.length === 0) for (const word of lacks) this.#refused.add(word);
  }

  /** Takes a failure down, and says in its first line which words it is about. */
  failed(topic: Topic, { proves = [], title }: Case, error: unknown): void {
    if (!(error instanceof Error)) return;
    const [cause = ""] = error.message.split("\n");
    if (topic === ground) this.#runsNothing = cause;
    if (topic === leftovers) this.#isUntidy = true;
    for (const word of proves) this.#broken.set(word, title);
    if (proves.length > 0)
      reworded(error, `${proves.join(", ")} is declared, and does not hold: ${error.message}`);
  }

  /** Takes down that a case asks for a part of a word that the backend leaves out, and says which part there is. */
  partRefused(word: Capability, { proves = [] }: Case): string {
    for (const each of proves) this.#leftOut.add(each);
    const reason = `${word} holds in part: ${this.#kit.given.partly?.[word]}`;
    this.skipped(reason);
    return reason;
  }

  /** Words of which no part was proved, since each that was asked for is one that the backend leaves out. */
  holdsInNoPart(): Capability[] {
    return [...this.#leftOut].filter((word) => !this.#proved.has(word) && !this.#broken.has(word));
  }

  /** Whether it has been told already that something is left on the host. */
  isUntidy(): boolean {
    return this.#isUntidy;
  }

  skipped(reason: string): void {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1);
  }

  /** By word: what was proved, what is broken, what was refused, and what was skipped. */
  summary(): string {
    const { given, missing, has } = this.#kit;
    const own = [...given.capabilities].filter((word) => has.has(word));
    const rest = own.filter((word) => !this.#proved.has(word) && !this.#broken.has(word));
    const lines: [string, string[]][] = [
      ["proved", [...this.#proved]],
      ["broken", [...this.#broken.keys()]],
      ["not proved", rest],
      ["refused", [...this.#refused]],
      ["missing here", [...missing].map(([word, reason]) => `${word} (${reason})`)],
      ["skipped", [...this.#skipped].map(([reason, count]) => `${count} (${reason})`)],
    ];
    return lines
      .filter(([, entries]) => entries.length > 0)
      .map(([name, entries]) => `  ${name}: ${entries.join(", ")}`)
      .join("\n");
  }
}
