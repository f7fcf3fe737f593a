import { describeBackend } from "@sandboxlib/conformance";
import namespaces from "../src/index.js";

describeBackend(namespaces);
