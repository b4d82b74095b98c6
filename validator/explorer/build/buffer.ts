/** Node's Buffer, of which the SSZ package makes its scratch space: esbuild puts it wherever a browser would miss it. */
export { Buffer } from "buffer/";
