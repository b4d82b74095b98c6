/**
 * A proof of what an account has earned, checked with nothing but SHA-256: the leaf of account and total, its 32
 * siblings and the list's length must hash to the root. The root itself is worth what vouches for it: an epoch record
 * whose certificate was checked.
 */
import { concatBytes, equalBytes, uint64Bytes } from "../bytes/bytes.ts";
import { sha256 } from "../crypto/sha256.ts";
import { NODE_BYTES } from "./hashPairs.ts";

/** Levels of the tree over the list's limit of 2^32 accounts. */
export const REWARD_TREE_DEPTH = 32;

/** Length of a proof's branch: one sibling a level, and the list's length. */
export const REWARD_BRANCH_NODES = REWARD_TREE_DEPTH + 1;

/** That an account has earned a total: the way from its leaf to the root. */
export type RewardProof = {
  /** 32 bytes. */
  readonly account: Uint8Array;
  /** Base units earned since genesis. */
  readonly total: bigint;
  /** Place of the account in the list. */
  readonly index: number;
  /** Accounts in the list. */
  readonly leafCount: number;
  /** 33 nodes of 32 bytes: the siblings from the leaf up, then the list's length as SSZ mixes it in. */
  readonly branch: readonly Uint8Array[];
  readonly root: Uint8Array;
};

/** Why a proof does not hold: its branch has another length, its place or count contradict it, or its hash differs. */
export type RewardProofFault =
  | "branch_length"
  | "index_out_of_range"
  | "leaf_count_mismatch"
  | "root_mismatch";

/** Checks a proof against the root it names; null where it holds. */
export function verifyRewardProof(proof: RewardProof): RewardProofFault | null {
  const { account, total, index, leafCount, branch, root } = proof;
  if (branch.length !== REWARD_BRANCH_NODES) return "branch_length";
  if (!Number.isSafeInteger(leafCount) || leafCount < 0 || leafCount > 2 ** REWARD_TREE_DEPTH) {
    return "leaf_count_mismatch";
  }
  if (!Number.isInteger(index) || index < 0 || index >= leafCount) return "index_out_of_range";
  const lengthNode = branch[REWARD_TREE_DEPTH]!;
  if (!equalBytes(lengthNode, encodeUint64Node(leafCount))) return "leaf_count_mismatch";
  let node = sha256(account, encodeUint64Node(total));
  for (let depth = 0; depth < REWARD_TREE_DEPTH; depth++) {
    const isRight = Math.floor(index / 2 ** depth) % 2 === 1;
    node = isRight ? sha256(branch[depth]!, node) : sha256(node, branch[depth]!);
  }
  return equalBytes(sha256(node, lengthNode), root) ? null : "root_mismatch";
}

/** A uint64 as SSZ merkleizes it: little-endian in a node of its own. */
export function encodeUint64Node(value: number | bigint): Uint8Array {
  if (typeof value === "number") return concatBytes(uint64Bytes(value), new Uint8Array(NODE_BYTES - 8));
  const node = new Uint8Array(NODE_BYTES);
  new DataView(node.buffer).setBigUint64(0, value, true);
  return node;
}
