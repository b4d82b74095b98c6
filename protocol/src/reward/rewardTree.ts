/**
 * The Merkle tree over what every account has earned since genesis. Its root stands in each epoch's record, so that
 * anyone who holds the root can check one account's total offline. It is SSZ's `hash_tree_root` of
 * `List[Container{account: Bytes32, total: uint64}, 2**32]`, accounts ascending, built level by level over flat
 * buffers: SSZ defines the answer, a test compares the two.
 */
import { sha256 } from "../crypto/sha256.ts";
import { type HashPairs, hashPairs, NODE_BYTES } from "./hashPairs.ts";
import { encodeUint64Node, REWARD_TREE_DEPTH, type RewardProof } from "./rewardProof.ts";

/** A tree that has been built. */
export type RewardTree = {
  readonly leafCount: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The proof of the account at a place; a place outside the list is a bug of the caller and throws. */
  prove(index: number): RewardProof;
};

/** ZERO_NODES[d]: the root of an empty tree of depth d, which pads what is not there. */
const ZERO_NODES: readonly Uint8Array[] = createZeroNodes();

function createZeroNodes(): Uint8Array[] {
  const nodes: Uint8Array[] = [new Uint8Array(NODE_BYTES)];
  for (let depth = 0; depth < REWARD_TREE_DEPTH; depth++) nodes.push(sha256(nodes[depth]!, nodes[depth]!));
  return nodes;
}

/**
 * Builds the tree over all accounts. Takes 3 x 32 bytes an account.
 * @param accounts 32-byte keys one after the other, strictly ascending; the caller keeps them as they are.
 * @param totals as many totals in base units.
 * @param hash hashes the levels; a shell passes a native one.
 */
export function createRewardTree(
  accounts: Uint8Array,
  totals: BigUint64Array,
  hash: HashPairs = hashPairs,
): RewardTree {
  const leafCount = totals.length;
  if (accounts.length !== leafCount * NODE_BYTES)
    throw new RangeError("Every total needs an account of 32 bytes");
  checkAscending(accounts, leafCount);
  const levels = hashLevels(hashLeaves(accounts, totals, hash), leafCount, hash);
  const lengthNode = encodeUint64Node(leafCount);
  const root = sha256(climbToLimit(levels), lengthNode);
  const prove = (index: number): RewardProof => {
    if (!Number.isInteger(index) || index < 0 || index >= leafCount)
      throw new RangeError("No account has this place");
    return {
      account: accounts.slice(index * NODE_BYTES, (index + 1) * NODE_BYTES),
      total: totals[index]!,
      index,
      leafCount,
      branch: [...listSiblings(levels, index), lengthNode],
      root,
    };
  };
  return { leafCount, root, prove };
}

/** An account that occurs twice could show two totals: that list is a bug of the caller. */
function checkAscending(accounts: Uint8Array, leafCount: number): void {
  for (let next = 1; next < leafCount; next++) {
    let at = next * NODE_BYTES;
    const end = at + NODE_BYTES;
    while (at < end && accounts[at - NODE_BYTES] === accounts[at]) at++;
    if (at === end || accounts[at - NODE_BYTES]! > accounts[at]!)
      throw new RangeError("Accounts must ascend");
  }
}

/** The leaves, each SHA-256(account || total padded to 32 bytes), in a buffer with room for an even number of them. */
function hashLeaves(accounts: Uint8Array, totals: BigUint64Array, hash: HashPairs): Uint8Array {
  const leafCount = totals.length;
  const leaves = new Uint8Array(padToEven(leafCount) * NODE_BYTES);
  const chunk = new Uint8Array(Math.min(leafCount, LEAVES_PER_CHUNK) * 2 * NODE_BYTES);
  const view = new DataView(chunk.buffer);
  for (let first = 0; first < leafCount; first += LEAVES_PER_CHUNK) {
    const count = Math.min(LEAVES_PER_CHUNK, leafCount - first);
    for (let i = 0; i < count; i++) {
      const at = (first + i) * NODE_BYTES;
      chunk.set(accounts.subarray(at, at + NODE_BYTES), i * 2 * NODE_BYTES);
      view.setBigUint64(i * 2 * NODE_BYTES + NODE_BYTES, totals[first + i]!, true);
    }
    const end = first + count;
    hash(chunk.subarray(0, count * 2 * NODE_BYTES), leaves.subarray(first * NODE_BYTES, end * NODE_BYTES));
  }
  return leaves;
}

/** Leaves prepared in one buffer: 1 MiB of input, so that it stays in the cache whatever the number of accounts. */
const LEAVES_PER_CHUNK = 16_384;

const padToEven = (count: number) => count + (count % 2);

/** All levels from the leaves up to a single node, each padded to an even number with the empty tree of its depth. */
function hashLevels(leaves: Uint8Array, leafCount: number, hash: HashPairs): Uint8Array[] {
  const levels = [leaves];
  let count = leafCount;
  for (let depth = 0; count > 1; depth++) {
    const level = levels[depth]!;
    if (count % 2 === 1) level.set(ZERO_NODES[depth]!, count * NODE_BYTES);
    const pairs = Math.ceil(count / 2);
    const parents = new Uint8Array(padToEven(pairs) * NODE_BYTES);
    hash(level.subarray(0, pairs * 2 * NODE_BYTES), parents.subarray(0, pairs * NODE_BYTES));
    levels.push(parents);
    count = pairs;
  }
  return levels;
}

/** From the single node on top of the levels to the root of the tree of full depth: the right is empty all the way. */
function climbToLimit(levels: readonly Uint8Array[]): Uint8Array {
  const top = levels.at(-1)!;
  let node = top.length === 0 ? ZERO_NODES[0]! : top.slice(0, NODE_BYTES);
  for (let depth = levels.length - 1; depth < REWARD_TREE_DEPTH; depth++)
    node = sha256(node, ZERO_NODES[depth]!);
  return node;
}

function listSiblings(levels: readonly Uint8Array[], index: number): Uint8Array[] {
  const siblings: Uint8Array[] = [];
  for (let depth = 0; depth < REWARD_TREE_DEPTH; depth++) {
    // Above the single top node everything to the right is empty.
    const level = depth < levels.length - 1 ? levels[depth]! : null;
    const at = (Math.floor(index / 2 ** depth) ^ 1) * NODE_BYTES;
    siblings.push(level === null ? ZERO_NODES[depth]! : level.slice(at, at + NODE_BYTES));
  }
  return siblings;
}
