/**
 * Imports a module. A file of its own: the command line has V8 load what a run needs in a way in which it cannot import.
 */
export function importModule(url: string): Promise<unknown> {
  return import(url);
}
