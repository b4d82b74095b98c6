/** The pool of evidence: who is listened to, what is kept, passed on and said again, and when it ends. */
import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { verifySignature } from "../../../node/src/host/verify.ts";
import type { PeerMessage } from "../../../protocol/src/agreement/peerMessages.ts";
import {
  decodeEvidence,
  type Evidence,
  encodeEvidence,
  type Value,
} from "../../../protocol/src/agreement/rounds.ts";
import { asciiBytes, equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { MAX_VALIDATORS } from "../../../protocol/src/network/parameters.ts";
import { EvidencePool } from "../../../validator/src/rounds/evidencePool.ts";
import { openVotes } from "../../../validator/src/rounds/votes.ts";
import { convict } from "../agreement/conflicts.ts";
import { contextOf, createTestGenesis, keyNamed } from "./support/network.ts";

const context = contextOf(createTestGenesis(0));
const { domains, parameters } = context;
const self = keyNamed("self");
const offender = keyNamed("offender");
const other = keyNamed("another offender");
const EPOCH = 20;
const ROUND = EPOCH * parameters.roundsPerEpoch;

const pieceOf = (keys = offender, epoch = EPOCH) =>
  convict(domains, keys, "double_notarize", epoch * parameters.roundsPerEpoch, epoch);
const decided = (round: number, ...evidence: Evidence[]): Value => ({
  ...{ round, tips: [], cut: [], previousFinal: [] },
  evidence,
});

const newVotes = () => openVotes(":memory:", { network: context.networkId, validator: self.publicKey });

function openPool(votes = newVotes()) {
  const said: PeerMessage[] = [];
  const found: Evidence[] = [];
  const failures: Error[] = [];
  const tombstoned = new Set<string>();
  const at = { round: ROUND };
  const pool = new EvidencePool(
    { parameters, domains, self: self.publicKey },
    {
      votes,
      verify: verifySignature,
      log: createSilentLog(),
      isTombstoned: (key) => tombstoned.has(encodeHex(key)),
      isMember: (key) => [self, offender, other].some(({ publicKey }) => equalBytes(publicKey, key)),
      nextRound: () => at.round,
      mesh: { broadcast: (message) => said.push(message) },
      onEvidence: (evidence) => found.push(evidence),
      onFailure: (error) => failures.push(error),
    },
  );
  return { pool, votes, at, said, found, failures, tombstoned };
}

test("of an earlier start goes on where it proves something, and is forgotten where it does not", () => {
  const votes = newVotes();
  const empty = { ...pieceOf(other), second: pieceOf(other).first };
  for (const piece of [pieceOf(), empty]) votes.recordEvidence(piece.offender, encodeEvidence(piece));
  expect(openPool(votes).pool.listFor(ROUND)).toEqual([pieceOf()]);
  expect(votes.evidence().map(decodeEvidence)).toEqual([pieceOf()]);
});

describe("evidence that others tell of", () => {
  test("is kept, put into values and passed on, once", () => {
    const { pool, votes, said, found } = openPool();
    for (let turn = 0; turn < 3; turn++) pool.hear(pieceOf());
    expect(pool.listFor(ROUND)).toEqual([pieceOf()]);
    expect(votes.evidence().map(decodeEvidence)).toEqual([pieceOf()]);
    expect(said).toEqual([{ type: "evidence", evidence: pieceOf() }]);
    expect(found).toHaveLength(1);
  });

  test("is said again after every round that passes it over, until one holds it", () => {
    const { pool, votes, said } = openPool();
    pool.add(pieceOf());
    pool.onDecided(decided(ROUND));
    pool.onDecided(decided(ROUND + 1));
    expect(said).toHaveLength(3);
    pool.onDecided(decided(ROUND + 2, pieceOf()));
    pool.onDecided(decided(ROUND + 3));
    // Who lags may still speak of it, while execution has not punished anybody yet.
    pool.hear(pieceOf());
    expect([said.length, pool.listFor(ROUND + 4), votes.evidence()]).toEqual([3, [], []]);
  });

  test("counts only against those who have a seat, for as long as they can be punished", () => {
    const { pool, said, tombstoned } = openPool();
    const ignored = [
      pieceOf(keyNamed("nobody")),
      pieceOf(offender, EPOCH - parameters.evidenceMaxAgeEpochs - 1),
    ];
    for (const piece of ignored) pool.hear(piece);
    tombstoned.add(encodeHex(offender.publicKey));
    pool.hear(pieceOf());
    expect([said, pool.listFor(ROUND)]).toEqual([[], []]);
    pool.hear(pieceOf(other));
    tombstoned.add(encodeHex(other.publicKey));
    pool.onDecided(decided(ROUND));
    expect([said.length, pool.listFor(ROUND + 1)]).toEqual([1, []]);
  });

  test("shields nobody once it is too old to be used, heard or found", () => {
    const { pool, votes, at, found } = openPool();
    const decide = (round: number) => {
      at.round = round + 1;
      pool.onDecided(decided(round));
    };
    const newer = EPOCH + parameters.evidenceMaxAgeEpochs + 1;
    const end = newer * parameters.roundsPerEpoch;
    pool.add(pieceOf());
    decide(end - 2);
    expect(pool.listFor(end - 1)).toEqual([pieceOf()]);
    decide(end - 1);
    expect(votes.evidence()).toEqual([]);
    pool.add(pieceOf());
    pool.hear(pieceOf());
    expect(found).toHaveLength(1);
    pool.hear(pieceOf(offender, newer));
    expect(pool.listFor(end)).toEqual([pieceOf(offender, newer)]);
  });

  test("that is decided is remembered, however many strangers values convict before", () => {
    const { pool, found } = openPool();
    const strangers = Array.from({ length: 3 * MAX_VALIDATORS }, (_, i) => ({
      ...pieceOf(),
      offender: sha256(asciiBytes(`stranger ${i}`)),
    }));
    pool.onDecided(decided(ROUND, ...strangers));
    pool.onDecided(decided(ROUND + 1, pieceOf()));
    pool.hear(pieceOf());
    expect(found).toEqual([]);
  });

  test("is nothing where somebody else signed it", () => {
    const { pool, said, failures } = openPool();
    for (const accused of [offender, self]) {
      pool.hear({ ...pieceOf(other), offender: accused.publicKey });
    }
    expect([said, failures, pool.listFor(ROUND)]).toEqual([[], [], []]);
  });

  test("stops the validator that it convicts: somebody else signs with its key", () => {
    const { pool, said, failures } = openPool();
    pool.hear(pieceOf(self));
    expect([failures.length, said]).toEqual([1, []]);
  });
});
