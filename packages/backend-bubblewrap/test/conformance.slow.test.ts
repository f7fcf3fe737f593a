import { describeBackend } from "@sandboxlib/conformance";
import bubblewrap from "../src/index.js";

describeBackend(bubblewrap);
