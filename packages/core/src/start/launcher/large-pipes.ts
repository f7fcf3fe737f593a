/**
 * Whether the output of one command more may have a large pipe. A user has 64 MiB for all pipes, and beyond that the kernel
 * gives each new one, of whatever program, two pages: so only the first of many get one.
 */
export function mayBeLarge(): boolean {
  return commands < MOST;
}

/** Counts a command, until the function that it returns is called. */
export function countCommand(): () => void {
  commands += 1;
  return () => {
    commands -= 1;
  };
}

let commands = 0;

const MOST = 32;
