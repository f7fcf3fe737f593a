import { existsSync } from "node:fs";
import { type ConfigInput, createSandbox, textOf } from "@sandboxlib/core";
import { describe, expect, it } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

const POOL = `import multiprocessing as m
def double(n): return 2 * n
if __name__ == "__main__": print(m.Pool(2).map(double, [1, 2, 3]))`;
const WORKER =
  "new (require('worker_threads').Worker)('console.log(require(`os`).networkInterfaces().lo !== undefined)',{eval:true})";
const THREADS = `#include <stdio.h>
#include <pthread.h>
static void *greet(void *name) { printf("hello, %s\\n", (char *)name); return NULL; }
int main(void) { pthread_t one; pthread_create(&one, NULL, greet, "c"); return pthread_join(one, NULL); }`;
const HELLO_JAVA = `class Hello { public static void main(String[] a) throws Exception {
  Thread t = new Thread(() -> System.out.println("hello, java")); t.start(); t.join(); } }`;
const HELLO_GO = `package main
import "fmt"
func main() { c := make(chan string); go func() { c <- "hello, go" }(); fmt.Println(<-c) }`;
const HELLO_RUST = `fn main() { std::thread::spawn(|| println!("hello, rust")).join().unwrap(); }`;
const CHROMIUM =
  "chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir=/tmp/chromium --dump-dom 'data:text/html,<p>hello</p>' 2>&1 | grep -o '<p>.*</p>'";
const GIT =
  "git init -q r && cd r && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git log --format=%s";

/** What has to be there, what is run in an empty directory, with an input file, and what it says. */
const PROGRAMS: Readonly<Record<string, readonly [string, string, string, string?]>> = {
  bash: ["/bin/bash", "bash -c 'echo $(seq 3 | wc -l) & wait'", "3"],
  git: ["/usr/bin/git", GIT, "x"],
  node: [process.execPath, `${process.execPath} input`, "true", WORKER],
  "python with multiprocessing": ["/usr/bin/python3", "/usr/bin/python3 input", "[2, 4, 6]", POOL],
  "gcc, and what it makes": [
    "/usr/bin/gcc",
    "gcc -x c -pthread input -o hello && ./hello",
    "hello, c",
    THREADS,
  ],
  "apt-get": [
    "/usr/bin/apt-get",
    "apt-get --print-uris --yes --reinstall install base-files >/dev/null && apt-get indextargets >/dev/null && echo planned",
    "planned",
  ],
  java: [
    "/usr/bin/javac",
    "mv input Hello.java && javac Hello.java && java Hello",
    "hello, java",
    HELLO_JAVA,
  ],
  "go, and what it makes": [
    "/usr/bin/go",
    "mv input hello.go && GOCACHE=/tmp/go GO111MODULE=off go build hello.go && ./hello",
    "hello, go",
    HELLO_GO,
  ],
  "rust, and what it makes": [
    "/usr/bin/rustc",
    "rustc -o hello input && ./hello",
    "hello, rust",
    HELLO_RUST,
  ],
  "chromium without its own sandbox": ["/usr/bin/chromium", CHROMIUM, "<p>hello</p>"],
  "chromium with its own sandbox, where user namespaces are allowed": [
    "/usr/bin/chromium",
    CHROMIUM.replace("--no-sandbox ", ""),
    "<p>hello</p>",
  ],
};

/** Chromium has no sandbox of its own for root, and only another user can map its id into a user namespace. */
const NESTING: ConfigInput = {
  allow: ["user-namespaces"],
  ...(process.getuid?.() === 0 && { user: { uid: 1234, gid: 1234 } }),
};

describe.skipIf(skip)(`programs under the default profile${note}`, () => {
  for (const [title, [program, script, said, input = ""]] of Object.entries(PROGRAMS)) {
    const isThere = existsSync(program);
    it.skipIf(!isThere)(
      isThere ? title : `${title} (${program} is not installed)`,
      async () => {
        const env = {
          PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
          HOME: "/tmp",
          LANG: "C.UTF-8",
        };
        const config = title.includes("allowed") ? NESTING : {};
        const sandbox = await createSandbox(
          { env, cwd: "/tmp", ...config },
          { backend: namespaces },
        );
        const inDirectory = `mkdir /tmp/d && cd /tmp/d && printf %s "$1" >input && ${script}`;
        const result = await sandbox.run(["sh", "-c", inDirectory, "sh", input]);
        expect(sandbox.config.seccomp).toBe("default");
        expect([textOf(result, "stderr"), textOf(result).trim()]).toEqual(["", said]);
      },
      120_000,
    );
  }
});
