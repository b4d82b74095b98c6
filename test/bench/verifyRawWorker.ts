/** A thread that does nothing but verify with libsodium, for `verify.ts`: what the pool's overhead is measured against. */
import { parentPort } from "node:worker_threads";
import sodium from "sodium-native";

/** What to verify over and over, and for how long. */
export interface RawRun {
  readonly claims: readonly { publicKey: Uint8Array; message: Uint8Array; signature: Uint8Array }[];
  readonly durationMs: number;
}

const port = parentPort!;

// The answer is how many signatures were verified, and in how many milliseconds.
port.on("message", ({ claims, durationMs }: RawRun) => {
  const prepared = claims.map(({ publicKey, message, signature }) => {
    return [Buffer.from(signature), Buffer.from(message), Buffer.from(publicKey)] as const;
  });
  const startMs = performance.now();
  let verified = 0;
  let elapsedMs = 0;
  while (elapsedMs < durationMs) {
    for (const [signature, message, publicKey] of prepared) {
      if (!sodium.crypto_sign_verify_detached(signature, message, publicKey)) throw new Error("not valid");
    }
    verified += prepared.length;
    elapsedMs = performance.now() - startMs;
  }
  port.postMessage({ verified, elapsedMs });
});
