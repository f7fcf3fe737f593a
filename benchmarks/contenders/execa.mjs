import { execa } from "execa";

/** No sandbox, started by the library that most programs start others with. */
export async function withExeca({ argv: [program, ...args] }) {
  return {
    run: () => execa(program, args, { cwd: "/", env: {}, extendEnv: false, stdin: "ignore" }),
  };
}
