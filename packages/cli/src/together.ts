import type { SandboxChild, SandboxResult } from "@sandboxlib/core";

/** Programs that run side by side, as one that signals can be sent to. */
export class Together {
  readonly #running = new Set<SandboxChild>();
  /** What came while nothing ran: for the next one that does. */
  #waiting: NodeJS.Signals | undefined;

  /** Takes in a program until it has ended. */
  async add(child: SandboxChild): Promise<SandboxResult> {
    this.#running.add(child);
    if (this.#waiting !== undefined) child.kill(this.#waiting);
    this.#waiting = undefined;
    return child.result.finally(() => this.#running.delete(child));
  }

  /** Sends a signal to all of them. */
  kill(signal: NodeJS.Signals = "SIGTERM"): boolean {
    const isPassing = signal === "SIGSTOP" || signal === "SIGCONT";
    if (this.#running.size === 0 && !isPassing) this.#waiting = signal;
    return [...this.#running].map((child) => child.kill(signal)).includes(true);
  }
}
