/** An error that stops the command before the program starts. It is printed, and the exit code is 1. */
export interface Fatal {
  readonly fatal: string;
}

/** Whether a value is a {@link Fatal}. */
export function isFatal<Value>(value: Value | Fatal): value is Fatal {
  return typeof value === "object" && value !== null && "fatal" in value;
}

/** Writes an error of the file system as `WHAT: MESSAGE`, with the message of strerror(3). */
export function failed(what: string, error: unknown): Fatal {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return { fatal: `${what}: ${STRERROR[code] ?? code}` };
}

const STRERROR: Readonly<Record<string, string>> = {
  EACCES: "Permission denied",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
  ENOENT: "No such file or directory",
  ENOTDIR: "Not a directory",
  EPERM: "Operation not permitted",
};
