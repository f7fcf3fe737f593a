export { type DescribeOptions, describeBackend } from "./describe.js";
