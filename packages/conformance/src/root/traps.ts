import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../context.js";

/** Puts symlinks into the root by which a careless tool ends up in a directory of the host. */
export function traps({ root, scratch }: Pick<Context, "root" | "scratch">): {
  outside: string;
  links: string[];
} {
  const outside = join(scratch, "outside");
  mkdirSync(join(outside, "existing"), { recursive: true });
  const up = "../".repeat(30);
  const targets = [
    outside,
    `${up}${outside}`,
    ...["/oldroot", "/newroot/..", "/proc/self/root", "/proc/1/root", "/proc/self/cwd"].map(
      (at) => at + outside,
    ),
    "/trap-loop",
    "/trap-missing",
  ];
  const links = targets.map((target, index) => {
    symlinkSync(target, join(root, `trap-${index}`));
    return `/trap-${index}`;
  });
  symlinkSync("/trap-loop", join(root, "trap-loop"));
  return { outside, links: [...links, "/trap-loop"] };
}

/** Puts a symlink to `/` into the root: to the host's, for a careless tool. */
export function linkUp({ root }: Pick<Context, "root">): string {
  symlinkSync("/", join(root, "data/up"));
  return "/data/up";
}
