/** One verifier thread: takes packed jobs, verifies them with libsodium and OpenSSL, and sends the same buffers back. */
import { parentPort } from "node:worker_threads";
import sodium from "sodium-native";
import { verifyDeviceSignature } from "../../../node/src/host/verify.ts";
import { type VerifyDetached, verifyJob } from "./signatureJob.ts";
import { checkDeviceRule, checkVerificationRule } from "./verificationRule.ts";

/** What a thread says before its first job; afterwards it only sends buffers back. */
export type WorkerGreeting = "ready" | "rule_mismatch";

// libsodium takes any typed array; its declarations ask for Buffers, and wrapping each view in one would cost more
// than packing does.
const ed25519 = sodium.crypto_sign_verify_detached as unknown as VerifyDetached;
const p256: VerifyDetached = (signature, message, publicKey) =>
  verifyDeviceSignature(publicKey, message, signature);

const port = parentPort;
if (port === null) throw new Error("verifierWorker.ts runs as a worker thread");

const isRuleKept = checkVerificationRule(ed25519) && checkDeviceRule(p256);
const greeting: WorkerGreeting = isRuleKept ? "ready" : "rule_mismatch";
port.on("message", (job: ArrayBuffer) => {
  verifyJob(job, { ed25519, p256 });
  port.postMessage(job, [job]);
});
port.postMessage(greeting);
