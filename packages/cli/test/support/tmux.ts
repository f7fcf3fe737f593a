import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { scratch } from "./scratch.js";
import { lackOf } from "./tool.js";

const TMUX = "/usr/bin/tmux";

/** Why there is no real terminal to test in; undefined when there is. */
export const noTmux: string | undefined = lackOf(TMUX);

/** A real terminal with a shell in it, ended with the test. */
export interface Screen {
  /** Types words and keys, as tmux(1) names them. */
  readonly type: (...keys: readonly string[]) => void;
  /** Waits until the screen shows it; the last screen otherwise. */
  readonly shows: (pattern: RegExp) => Promise<string>;
  readonly resize: (columns: number, rows: number) => void;
}

const TIME_LIMIT = 20_000;

/** Opens a terminal of 100 columns and 40 rows, whose shell prompts with `outer$`. */
export async function openScreen(): Promise<Screen> {
  const socket = join(scratch(), "tmux");
  const tmux = (...args: readonly string[]): string => {
    const env = { PATH: process.env["PATH"], HOME: "/", LC_ALL: "C.UTF-8", PS1: "outer$ " };
    const options = { encoding: "utf8", env, cwd: "/" } as const;
    const { status, stdout, stderr } = spawnSync(
      TMUX,
      ["-S", socket, "-f", "/dev/null", ...args],
      options,
    );
    if (status !== 0) throw new Error(`tmux ${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const screen: Screen = {
    type: (...keys) => void tmux("send-keys", ...keys),
    async shows(pattern) {
      const end = performance.now() + TIME_LIMIT;
      for (;;) {
        const shown = tmux("capture-pane", "-p");
        if (pattern.test(shown)) return shown;
        if (performance.now() > end) throw new Error(`${pattern} is not shown:\n${shown}`);
        await sleep(50);
      }
    },
    resize: (columns, rows) =>
      void tmux("resize-window", "-x", String(columns), "-y", String(rows)),
  };
  const shell = "exec bash --norc --noprofile";
  tmux("new-session", "-d", "-x", "100", "-y", "40", shell);
  onTestFinished(() => void tmux("kill-server"));
  screen.type("PS1='outer$ '; clear", "Enter");
  await screen.shows(/^outer\$$/m);
  return screen;
}
