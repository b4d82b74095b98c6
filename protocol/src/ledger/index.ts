/** What shells use of the ledger. */
export { type Books, computeBooks } from "./books.ts";
export { type DecodeReason, decodeLedgerMessage } from "./bundleDecode.ts";
export { executeRound } from "./execute.ts";
export { computeRewardProof, rewardTreeOf } from "./rewardTotals.ts";
export {
  computeSnapshotRoot,
  computeStateRoot,
  decodeLedger,
  encodeLedger,
  STATE_CHUNK_BYTES,
} from "./snapshot.ts";
export { createLedger, type Ledger, type LedgerModules } from "./state.ts";
