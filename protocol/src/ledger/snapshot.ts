/**
 * The whole ledger as bytes: the same state gives the same bytes, whatever history of tables and caches is behind it,
 * and a ledger decoded from them executes on exactly as the one that was encoded. What genesis says is not repeated.
 */
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { equalBytes, uint64Bytes } from "../bytes/bytes.ts";
import { sha256 } from "../crypto/sha256.ts";
import { decodeReason, encodeReason, type Reason } from "../evidence/reasons.ts";
import type { Genesis } from "../network/genesis.ts";
import type { IncrementalHash } from "../reward/epochRecord.ts";
import { POOL_NAMES } from "../reward/pools.ts";
import { ByteReader } from "./byteReader.ts";
import { ByteWriter } from "./byteWriter.ts";
import { SEEN_ID_BYTES } from "./seenIds.ts";
import {
  readBook,
  readEvidence,
  readHotspot,
  writeBook,
  writeEvidence,
  writeHotspot,
} from "./snapshotParts.ts";
import { readTrust, writeTrust } from "./snapshotTrust.ts";
import { readValidators, writeValidators } from "./snapshotValidators.ts";
import { Ledger, type LedgerModules, registerHotspot } from "./state.ts";

/** A snapshot's first byte. Another layout gets another number, and so do rules by which the same rounds make another state. */
export const SNAPSHOT_VERSION = 14;

/** Encodes the ledger between two rounds. */
export function encodeLedger(ledger: Ledger): Uint8Array {
  const out = new ByteWriter();
  out.uint8(SNAPSHOT_VERSION);
  out.bytes(ledger.networkId);
  out.int64(ledger.round);
  out.int64(ledger.timeMs);
  out.bytes(ledger.digest);
  out.amount(ledger.emitted);
  out.amount(ledger.burned);
  for (const pool of POOL_NAMES) out.amount(ledger.carried[pool]);
  out.list(
    [...ledger.seeds].sort(([a], [b]) => a - b),
    ([epoch, seed]) => {
      out.int64(epoch);
      out.bytes(seed);
    },
  );
  out.list(ledger.accounts.list, ({ key, balance, nonce, earned }) => {
    out.bytes(key);
    out.amount(balance);
    out.int64(nonce);
    out.amount(earned);
  });
  out.list(ledger.registry.list, (hotspot) => writeHotspot(out, hotspot));
  writeValidators(out, ledger);
  writeBook(out, ledger.book);
  out.list(ledger.seen.listSorted(), ({ epoch, ids }) => {
    out.int64(epoch);
    out.int32(ids.length / SEEN_ID_BYTES);
    out.bytes(ids);
  });
  out.int32(ledger.links.count(ledger.nextEpoch));
  ledger.links.visitSorted(ledger.nextEpoch, (witness, beaconer, epoch) => {
    out.int32(witness);
    out.int32(beaconer);
    out.int64(epoch);
  });
  writeTally(out, ledger);
  writeTrust(out, ledger);
  return out.finish();
}

/**
 * Decodes a snapshot, strictly: it must be the one encoding of its ledger.
 * @throws RangeError where it is not, or belongs to another network. What a peer sent is first held against a state
 * root that validators attested to, so bytes that come this far and are wrong are a disk's fault or a bug.
 */
export function decodeLedger(genesis: Genesis, bytes: Uint8Array, modules: LedgerModules = {}): Ledger {
  const ledger = new Ledger(genesis, modules);
  const input = new ByteReader(bytes);
  if (input.uint8() !== SNAPSHOT_VERSION) throw new RangeError("a snapshot of another layout");
  if (!equalBytes(input.bytes(32), ledger.networkId)) throw new RangeError("a snapshot of another network");
  ledger.round = input.int64();
  ledger.timeMs = input.int64();
  ledger.digest = input.bytes(32);
  ledger.emitted = input.amount();
  ledger.burned = input.amount();
  const [beacons, witnesses, data, validators] = POOL_NAMES.map(() => input.amount());
  ledger.carried = { beacons: beacons!, witnesses: witnesses!, data: data!, validators: validators! };
  input.list(() => ledger.seeds.set(input.int64(), input.bytes(32)));
  input.list(() => {
    const account = ledger.accounts.open(input.bytes(32));
    account.balance = input.amount();
    account.nonce = input.int64();
    account.earned = input.amount();
    if (account.earned > 0n) ledger.earnerOrder.add(account.key, account.index);
  });
  input.list(() => {
    readHotspot(input, ledger.registry, ({ owner, payer, ...terms }) => {
      const { list } = ledger.accounts;
      return registerHotspot(ledger, { ...terms, owner: at(list, owner), payer: at(list, payer) });
    });
  });
  readValidators(input, ledger);
  readBook(input, ledger);
  input.list(() => {
    const epoch = input.int64();
    input.list(() => ledger.seen.add(epoch, input.bytes(SEEN_ID_BYTES)));
  });
  // Links are added in the order of their epochs, as they were made; the table forgets by the newest it has seen.
  const links = input.list(() => ({ witness: input.int32(), beaconer: input.int32(), epoch: input.int64() }));
  links.sort((a, b) => a.epoch - b.epoch);
  for (const { witness, beaconer, epoch } of links) ledger.links.link(witness, beaconer, epoch);
  readTally(input, ledger);
  readTrust(input, ledger);
  if (input.left !== 0 || !equalBytes(encodeLedger(ledger), bytes)) {
    throw new RangeError("a snapshot that is not the encoding of its ledger");
  }
  return ledger;
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError("a snapshot that refers to what it does not hold");
  return item;
}

function writeTally(out: ByteWriter, { tally }: Ledger): void {
  out.int64(tally.startTimeMs);
  out.bytes(tally.inputsDigest);
  out.int32(tally.beaconsClosed);
  for (const counts of [tally.witnessesRefused, tally.beaconsRefused]) {
    const sorted = [...counts].map(([reason, count]) => [encodeReason(reason), count] as const);
    sorted.sort(([a], [b]) => a - b);
    out.list(sorted, ([code, count]) => {
      out.uint8(code);
      out.int32(count);
    });
  }
  out.list(tally.participation, (rounds) => out.int32(rounds));
  out.list(
    [...tally.unpaid].sort(([a], [b]) => a - b),
    ([account, count]) => {
      out.int32(account);
      out.uint8(count);
    },
  );
  out.list(tally.beacons, (beacon) => writeEvidence(out, beacon));
}

function readTally(input: ByteReader, ledger: Ledger): void {
  const { tally } = ledger;
  tally.startTimeMs = input.int64();
  tally.inputsDigest = input.bytes(32);
  tally.beaconsClosed = input.int32();
  for (const counts of [tally.witnessesRefused, tally.beaconsRefused] as Map<Reason, number>[]) {
    input.list(() => {
      const reason = decodeReason(input.uint8());
      if (reason === null || reason === undefined) throw new RangeError("a count for no reason");
      counts.set(reason, input.int32());
    });
  }
  const participation = input.list(() => input.int32());
  const seats = ledger.setOf(ledger.nextEpoch)?.keys.length;
  if (participation.length !== seats) throw new RangeError("another set of validators");
  tally.participation = participation;
  input.list(() => tally.unpaid.set(at(ledger.accounts.list, input.int32()).index, input.uint8()));
  tally.beacons = input.list(() => readEvidence(input));
}

/** Leaves of the state's tree: pieces of this many bytes, so that a snapshot can be fetched and checked in parts. */
export const STATE_CHUNK_BYTES = 65_536;

/**
 * The Merkle root over the whole state: the snapshot's bytes in chunks, each hashed; pairs are hashed upwards, a node
 * without a partner rises as it is; the snapshot's length is mixed in last. Leaves and nodes have different first bytes.
 */
export function computeStateRoot(ledger: Ledger): Uint8Array {
  return computeSnapshotRoot(encodeLedger(ledger), ledger.modules.createHash);
}

/** The state root that a snapshot's bytes have. */
export function computeSnapshotRoot(
  snapshot: Uint8Array,
  createHash: () => IncrementalHash = nobleSha256.create,
): Uint8Array {
  return computeRootOfChunks(hashStateChunks(snapshot, createHash), snapshot.length);
}

/** The leaves of the state's tree: the hash of each chunk of a snapshot, in order. */
export function hashStateChunks(
  snapshot: Uint8Array,
  createHash: () => IncrementalHash = nobleSha256.create,
): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < snapshot.length; start += STATE_CHUNK_BYTES) {
    const hash = createHash();
    hash.update(LEAF);
    hash.update(snapshot.subarray(start, start + STATE_CHUNK_BYTES));
    chunks.push(Uint8Array.from(hash.digest()));
  }
  return chunks;
}

/** The state root over a snapshot's chunks, at least one, and its length in bytes. */
export function computeRootOfChunks(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  let level = chunks;
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const right = level[i + 1];
      above.push(right === undefined ? level[i]! : sha256(NODE, level[i]!, right));
    }
    level = above;
  }
  return sha256(NODE, level[0]!, uint64Bytes(bytes));
}

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
