import { describeBackend } from "@sandboxlib/conformance";
import oci from "../src/index.js";

describeBackend(oci);
