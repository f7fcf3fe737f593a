import { parentPort } from "node:worker_threads";
import namespaces from "@sandboxlib/backend-namespaces";
import { createSandbox } from "@sandboxlib/core";

const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
const outputs = [];
for (const word of ["0", "1", "2"]) {
  const { stdout } = await sandbox.run(["echo", word]);
  outputs.push(Buffer.from(stdout).toString());
}
parentPort.postMessage(outputs);
