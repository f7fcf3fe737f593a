import { describeBackend } from "@sandboxlib/conformance";
import { ociWith } from "../src/index.js";

describeBackend(ociWith("runc"));
