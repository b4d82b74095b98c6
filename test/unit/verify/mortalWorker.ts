/**
 * A verifier thread with a weak spot, for the pool's tests: it dies over a message that begins with `die`, always or,
 * where `die once <path>` names a file that is not there yet, only the first time.
 */
import { writeFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import sodium from "sodium-native";
import { type VerifyDetached, verifyJob } from "../../../validator/src/verify/signatureJob.ts";

const port = parentPort!;
port.on("message", (job: ArrayBuffer) => {
  const ed25519: VerifyDetached = (signature, message, publicKey) => {
    const text = new TextDecoder().decode(message);
    const [, path] = /^die once (.+)$/.exec(text) ?? [];
    if (path !== undefined ? createFile(path) : text.startsWith("die")) throw new Error("died as told");
    return sodium.crypto_sign_verify_detached(
      Buffer.from(signature),
      Buffer.from(message),
      Buffer.from(publicKey),
    );
  };
  verifyJob(job, { ed25519, p256: () => false });
  port.postMessage(job, [job]);
});
port.postMessage("ready");

/** @returns false where the file was there already. */
function createFile(path: string): boolean {
  try {
    writeFileSync(path, "", { flag: "wx" });
    return true;
  } catch {
    return false;
  }
}
