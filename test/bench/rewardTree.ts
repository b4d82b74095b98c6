/**
 * The tree over a million accounts, and a proof out of it. Hashing level by level over flat buffers with the native
 * hasher is what counts: SSZ's own `hashTreeRoot` over objects takes eight seconds for as many.
 */
import { hashInto } from "@chainsafe/hashtree";
import { verifyRewardProof } from "../../protocol/src/reward/rewardProof.ts";
import { createRewardTree } from "../../protocol/src/reward/rewardTree.ts";
import { atMost, type BenchRow } from "./benchRow.ts";
import { createAccounts } from "./epochClose.ts";

const ACCOUNTS = 1_000_000;
const PROOFS = 1_000;
const ROOT_MS_MAX = 1_000;
const PROOF_MS_MAX = 5;

/** About 2 s. */
export async function run(): Promise<BenchRow[]> {
  const accounts = createAccounts(ACCOUNTS);
  const totals = BigUint64Array.from({ length: ACCOUNTS }, (_, place) => BigInt(place) * 1_000_003n);
  const start = performance.now();
  const tree = createRewardTree(accounts, totals, hashInto);
  const rooted = performance.now();
  const proofs = Array.from({ length: PROOFS }, (_, i) => tree.prove(i * (ACCOUNTS / PROOFS)));
  const proven = performance.now();
  for (const proof of proofs) if (verifyRewardProof(proof) !== null) throw new Error("A proof does not hold");
  const verified = performance.now();
  return [
    atMost(`root over ${ACCOUNTS / 1e6}M accounts`, rooted - start, "ms", ROOT_MS_MAX),
    atMost("  a proof", (proven - rooted) / PROOFS, "ms", PROOF_MS_MAX),
    atMost("  checking a proof, plain JavaScript", (verified - proven) / PROOFS, "ms", PROOF_MS_MAX),
  ];
}
