import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import type { LauncherPlan } from "../../backend/plan.js";
import { spawnTool } from "../spawn-tool.js";
import type { LauncherEnd } from "./channel.js";
import { frame, u8, u32 } from "./frame.js";
import { type Hold, holder } from "./keep-alive.js";
import { type Served, servedReader } from "./message.js";
import { endOf } from "./own-launcher.js";
import { Patience } from "./watchdog.js";

/** A launcher that a fork server has been told to start: what to do when the server says something of it. */
export interface Branch {
  hear(message: Served): void;
  /** The server is gone, and the launcher sees to its own end. */
  lose(end: LauncherEnd): void;
}

/** What a fork server is to start. */
export interface Order {
  readonly namespaces: number;
  /** Which of the standard streams are pipes; the others are discarded. */
  readonly pipes: readonly [boolean, boolean, boolean];
  /** Our first frames to the launcher. */
  readonly greeting: Buffer;
}

/** What a server is to do about a launcher: each is answered, by its coming or by its end. */
type Owed = "start" | "end";

const MAX_ID = 0xffff_ffff;

/** A fork server that has been started. */
export class ForkServer {
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #hold: Hold;
  readonly #branches = new Map<number, { branch: Branch; release: () => void; owes?: Owed }>();
  /** It kills a launcher that does not end. When there is no answer, it is the server itself that is stuck. */
  readonly #patience = new Patience(() => this.kill());
  #last = 0;
  #isRetired = false;

  constructor({ argv, env }: LauncherPlan) {
    this.#child = spawnTool([...argv, "serve"], {
      env,
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    this.#socket = this.#child.stdio[3] as Socket;
    this.#hold = holder(this.#child);
    const take = servedReader((message) => this.#hear(message));
    this.#socket
      .on("error", () => undefined)
      .on("data", (chunk: Buffer) => {
        this.#patience.hear();
        try {
          take(chunk);
        } catch {
          this.kill(); // Whoever breaks the protocol cannot be trusted with an end.
        }
      });
    void endOf(this.#child).then((end) => this.#lose(end));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  isOpen(): boolean {
    return (
      !this.#socket.destroyed && this.#child.exitCode === null && this.#child.signalCode === null
    );
  }

  /** Starts a launcher, and keeps this process alive until it is gone. Returns its number. */
  start({ namespaces, pipes, greeting }: Order, branch: Branch): number {
    do this.#last = (this.#last % MAX_ID) + 1;
    while (this.#branches.has(this.#last));
    const id = this.#last;
    this.#branches.set(id, { branch, release: this.#hold() });
    this.#owe(id, "start");
    const streams = u8(...pipes.map((isPipe) => (isPipe ? PIPE : DISCARD)));
    const first = greeting.subarray(0, CHUNK);
    this.#send("L", u32(id), u32(namespaces), u32(process.umask()), streams, first);
    // A command may be as long as a frame; with what is around it, it would be longer.
    for (let at = CHUNK; at < greeting.length; at += CHUNK)
      this.write(id, greeting.subarray(at, at + CHUNK));
    return id;
  }

  write(id: number, bytes: Buffer): void {
    this.#send("D", u32(id), bytes);
  }

  /** Hangs up on a launcher, which then ends its sandbox. */
  end(id: number): void {
    this.#owe(id, "end");
    this.#send("E", u32(id));
  }

  /** Says that our ends of the standard streams have been opened, or never will be. */
  opened(id: number): void {
    this.#send("O", u32(id));
  }

  /** Ends it, and with it everything that it has started. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Ends it when the launchers that it has started are gone. */
  retire(): void {
    this.#isRetired = true;
    if (this.#branches.size === 0) this.#socket.end();
  }

  #owe(id: number, what: Owed): void {
    const known = this.#branches.get(id);
    if (known === undefined) return;
    if (known.owes === undefined) this.#patience.owe();
    known.owes = what;
  }

  #settle(id: number): void {
    const known = this.#branches.get(id);
    if (known?.owes === undefined) return;
    delete known.owes;
    this.#patience.settle();
  }

  #send(type: string, ...payload: readonly Uint8Array[]): void {
    this.#socket.write(frame(type, ...payload));
  }

  #hear(message: Served): void {
    const known = this.#branches.get(message.id);
    if (message.type === "began" && known?.owes === "start") this.#settle(message.id);
    if (message.type === "gone" || message.type === "failed") this.#forget(message.id);
    known?.branch.hear(message);
  }

  #lose(end: LauncherEnd): void {
    const lost = [...this.#branches];
    for (const [id, { branch }] of lost) {
      this.#forget(id);
      branch.lose(end);
    }
  }

  #forget(id: number): void {
    this.#settle(id);
    this.#branches.get(id)?.release();
    this.#branches.delete(id);
    if (this.#isRetired) this.retire();
  }
}

const [DISCARD, PIPE] = [1, 2] as const;
const CHUNK = 1024 * 1024;
