/** A reward proof as JSON: what the HTTP interface gives out and `tool verify-proof` reads. */
import { decodeHex, encodeHex0x } from "../bytes/hex.ts";
import { decodeDidKey, encodeDidKey } from "../crypto/didKey.ts";
import { parseAmount } from "../network/parameters.ts";
import { NODE_BYTES } from "./hashPairs.ts";
import {
  REWARD_BRANCH_NODES,
  REWARD_TREE_DEPTH,
  type RewardProof,
  type RewardProofFault,
  verifyRewardProof,
} from "./rewardProof.ts";

/** Account as did:key (0x-hexadecimal is read too), total in decimal base units, nodes in 0x-hexadecimal. */
export type RewardProofJson = {
  readonly account: string;
  readonly total: string;
  readonly epoch: number;
  readonly index: number;
  readonly leafCount: number;
  readonly branch: readonly string[];
  readonly root: string;
};

/** Why JSON is no proof, or no valid one. `malformed` names the field in words beside it. */
export type ProofJsonFault = "malformed" | RewardProofFault;

/** A proof read from JSON with the epoch it was given out for, or what is wrong with the JSON, in words. */
export type DecodedProof =
  | { readonly proof: RewardProof; readonly epoch: number }
  | { readonly fault: "malformed"; readonly detail: string };

/** What became of a proof. The epoch is what the JSON says: only the record with this root proves it. */
export type ProofJsonVerdict =
  | {
      readonly valid: true;
      readonly account: string;
      readonly total: string;
      readonly epoch: number;
      readonly root: string;
    }
  | { readonly valid: false; readonly reason: ProofJsonFault; readonly detail?: string };

/** Writes a proof, of the epoch whose record holds its root. */
export function encodeProofJson(proof: RewardProof, epoch: number): RewardProofJson {
  return {
    account: encodeDidKey(proof.account),
    total: proof.total.toString(),
    epoch,
    index: proof.index,
    leafCount: proof.leafCount,
    branch: proof.branch.map(encodeHex0x),
    root: encodeHex0x(proof.root),
  };
}

/** Reads a proof from parsed JSON of any shape; fields it does not know are left alone. */
export function decodeProofJson(json: unknown): DecodedProof {
  const malformed = (detail: string): DecodedProof => ({ fault: "malformed", detail });
  if (typeof json !== "object" || json === null || Array.isArray(json))
    return malformed("a proof is an object");
  const fields = json as Partial<Record<keyof RewardProofJson, unknown>>;
  const account = decodeAccount(fields.account);
  if (account === null) return malformed("account must be a did:key or 32 bytes of 0x-hexadecimal");
  const total = parseAmount(fields.total);
  if (total === null) return malformed("total must be a decimal string of base units below 2^64");
  const { epoch, index, leafCount } = fields;
  if (!isCount(epoch)) return malformed("epoch must be a whole number");
  if (!isCount(index) || !isCount(leafCount) || leafCount > 2 ** REWARD_TREE_DEPTH) {
    return malformed("index and leafCount must be whole numbers of at most 2^32");
  }
  if (!Array.isArray(fields.branch) || fields.branch.length !== REWARD_BRANCH_NODES) {
    return malformed(`branch must be a list of ${REWARD_BRANCH_NODES} nodes`);
  }
  const branch = fields.branch.map(decodeNode).filter((node) => node !== null);
  const root = decodeNode(fields.root);
  if (branch.length !== REWARD_BRANCH_NODES || root === null) {
    return malformed("branch and root must be nodes of 32 bytes of 0x-hexadecimal");
  }
  return { proof: { account, total, index, leafCount, branch, root }, epoch };
}

/** Reads and checks a proof. */
export function verifyProofJson(json: unknown): ProofJsonVerdict {
  const decoded = decodeProofJson(json);
  if ("fault" in decoded) return { valid: false, reason: decoded.fault, detail: decoded.detail };
  const { proof, epoch } = decoded;
  const reason = verifyRewardProof(proof);
  if (reason !== null) return { valid: false, reason };
  const { account, total, root } = encodeProofJson(proof, epoch);
  return { valid: true, account, total, epoch, root };
}

function decodeAccount(text: unknown): Uint8Array | null {
  return typeof text !== "string" ? null : text.startsWith("did:") ? decodeDidKey(text) : decodeNode(text);
}

function decodeNode(text: unknown): Uint8Array | null {
  return typeof text === "string" && text.startsWith("0x") ? decodeHex(text, NODE_BYTES) : null;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
