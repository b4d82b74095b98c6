/** A verifier thread whose libsodium follows another rule. */
import { parentPort } from "node:worker_threads";

parentPort!.on("message", () => {});
parentPort!.postMessage("rule_mismatch");
