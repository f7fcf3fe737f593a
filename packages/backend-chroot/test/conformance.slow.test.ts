import chroot from "@sandboxlib/backend-chroot";
import { describeBackend } from "@sandboxlib/conformance";

describeBackend(chroot);
