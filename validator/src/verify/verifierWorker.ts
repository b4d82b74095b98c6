/** One verifier thread: takes packed jobs, verifies them with libsodium, and sends the same buffers back. */
import { parentPort } from "node:worker_threads";
import sodium from "sodium-native";
import { verifyJob } from "./signatureJob.ts";
import { checkVerificationRule } from "./verificationRule.ts";

/** What a thread says before its first job; afterwards it only sends buffers back. */
export type WorkerGreeting = "ready" | "rule_mismatch";

// libsodium takes any typed array; its declarations ask for Buffers, and wrapping each view in one would cost more
// than packing does.
const verify = sodium.crypto_sign_verify_detached as unknown as (
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
) => boolean;

const port = parentPort;
if (port === null) throw new Error("verifierWorker.ts runs as a worker thread");

const greeting: WorkerGreeting = checkVerificationRule(verify) ? "ready" : "rule_mismatch";
port.on("message", (job: ArrayBuffer) => {
  verifyJob(job, verify);
  port.postMessage(job, [job]);
});
port.postMessage(greeting);
