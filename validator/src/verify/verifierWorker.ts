/** One verifier thread: takes packed jobs, verifies them with libsodium and OpenSSL, and sends the same buffers back. */
import { parentPort } from "node:worker_threads";
import { verifyDeviceSignature } from "../../../node/src/host/verify.ts";
import { type VerifyDetached, verifyJob } from "./signatureJob.ts";
import { checkDeviceRule, checkVerificationRule } from "./verificationRule.ts";
import { sodiumVerify } from "./verifyEd25519.ts";

/** What a thread says before its first job; afterwards it only sends buffers back. */
export type WorkerGreeting = "ready" | "rule_mismatch";

const p256: VerifyDetached = (signature, message, publicKey) =>
  verifyDeviceSignature(publicKey, message, signature);

const port = parentPort;
if (port === null) throw new Error("verifierWorker.ts runs as a worker thread");

const isRuleKept = checkVerificationRule(sodiumVerify) && checkDeviceRule(p256);
const greeting: WorkerGreeting = isRuleKept ? "ready" : "rule_mismatch";
port.on("message", (job: ArrayBuffer) => {
  verifyJob(job, { ed25519: sodiumVerify, p256 });
  port.postMessage(job, [job]);
});
port.postMessage(greeting);
