/** What must be ended when this process exits in the middle of runs; one listener for all of them. */
const endings = new Set<() => void>();

/** Calls `end` if this process exits before the returned function is called. */
export function endOnExit(end: () => void): () => void {
  if (endings.size === 0) process.on("exit", endAll);
  endings.add(end);
  return () => {
    endings.delete(end);
    if (endings.size === 0) process.off("exit", endAll);
  };
}

function endAll(): void {
  for (const end of endings) end();
}
