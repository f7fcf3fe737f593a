/** What ends a command line with a message: a user's mistake unless `exitCode` says otherwise. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(
    message: string,
    { hint, exitCode = 2 }: { readonly hint?: string; readonly exitCode?: number } = {},
  ) {
    super(message);
    this.hint = hint;
    this.exitCode = exitCode;
  }
}
