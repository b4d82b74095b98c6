/**
 * The seeded simulation as a test: books exact in every epoch (asserted inside it), one verdict a report, the same hash
 * for the same seed, and honest hotspots that earn while cheats do not earn by cheating.
 */
import { describe, expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { isUnpaidReason, type Reason } from "../../../protocol/src/evidence/reasons.ts";
import { executeRound } from "../../../protocol/src/ledger/execute.ts";
import { computeRewardProof } from "../../../protocol/src/ledger/rewardTotals.ts";
import { decodeLedger, encodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import { verifyRewardProof } from "../../../protocol/src/reward/rewardProof.ts";
import { LedgerSimulation, simulateLedger } from "../../sim/ledger.ts";

const OPTIONS = { seed: 11, hotspots: 28, epochs: 9, cheatOneIn: 3 } as const;

describe("a network of honest and cheating hotspots", () => {
  const simulation = simulateLedger(OPTIONS);

  test("gives every report one last outcome, and counts the rest as surplus", () => {
    const { audit } = simulation;
    expect(audit.faults).toEqual([]);
    expect([...audit.open]).toEqual([]);
    expect(audit.final.size + audit.overQuota).toBe(audit.executed);
    expect(audit.overQuota).toBeGreaterThan(0);
    expect(audit.executed).toBeGreaterThan(3_000);
  });

  test("meets the cheats with the reasons they deserve", () => {
    const reasons = Object.keys(simulation.audit.counts());
    for (const reason of [
      "proof_mismatch",
      "early_reveal",
      "not_beaconer",
      "never_revealed",
      "beacon_refused",
      "duplicate_witness",
      "waiting_full",
      "no_beacon",
      "over_owner_cap",
    ]) {
      expect(reasons).toContain(reason);
    }
  });

  test("lets no cheat have an honest report refused", () => {
    const { owed, audit } = simulation;
    expect(owed.length).toBeGreaterThan(500);
    for (const key of owed) {
      const reason = audit.final.get(key)!;
      expect(reason === "accepted" || isUnpaidReason(reason as Reason), `${key}: ${reason}`).toBe(true);
    }
  });

  test("is the same run for the same seed, and another for another", () => {
    expect(encodeHex(simulateLedger(OPTIONS).hash)).toBe(encodeHex(simulation.hash));
    expect(encodeHex(simulateLedger({ ...OPTIONS, seed: 12 }).hash)).not.toBe(encodeHex(simulation.hash));
  });

  test("proves what every account has earned under the last record's root", () => {
    const { ledger, closes } = simulation;
    const { rewardRoot, accounts } = closes.at(-1)!;
    const earners = ledger.listAccounts().filter(({ earned }) => earned > 0n);
    expect(earners).toHaveLength(accounts);
    for (const { key, earned } of earners) {
      const proof = computeRewardProof(ledger, key)!;
      expect(proof.total).toBe(earned);
      expect(proof.root).toEqual(rewardRoot);
      expect(verifyRewardProof(proof)).toBeNull();
    }
    expect(computeRewardProof(ledger, new Uint8Array(32))).toBeNull();
  });
});

describe("snapshots", () => {
  test("round-trip at every round, and what is decoded executes on exactly alike", () => {
    const simulation = new LedgerSimulation({ ...OPTIONS, hotspots: 16 });
    const { genesis } = simulation;
    let twin = decodeLedger(genesis, encodeLedger(simulation.ledger));
    for (let i = 0; i < 130; i++) {
      const result = simulation.step(true);
      const again = executeRound(twin, simulation.lastInput!);
      expect(encodeHex(again.stateDigest)).toBe(encodeHex(result.stateDigest));
      expect(again.epochClose?.stateRoot).toEqual(result.epochClose?.stateRoot);
      const bytes = encodeLedger(simulation.ledger);
      expect(encodeHex(encodeLedger(twin))).toBe(encodeHex(bytes));
      // Every third round the twin goes through bytes again, so that its caches and tables are made anew.
      if (i % 3 === 0) twin = decodeLedger(genesis, bytes);
    }
  });

  test("are strict: no other bytes decode, and none of another network", () => {
    const simulation = new LedgerSimulation({ ...OPTIONS, hotspots: 8 });
    for (let i = 0; i < 30; i++) simulation.step(true);
    const bytes = encodeLedger(simulation.ledger);
    const { genesis } = simulation;
    expect(() => decodeLedger(genesis, bytes.subarray(0, -1))).toThrow(RangeError);
    expect(() => decodeLedger(genesis, Uint8Array.of(...bytes, 0))).toThrow(RangeError);
    expect(() => decodeLedger({ ...genesis, name: "other" }, bytes)).toThrow(RangeError);
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 400)) {
      const damaged = bytes.slice();
      damaged[at]! ^= 0x41;
      let decoded: Uint8Array | null = null;
      try {
        decoded = encodeLedger(decodeLedger(genesis, damaged));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
      // Damage either shows, or made another ledger whose one encoding this is: the state root tells those apart.
      if (decoded !== null) expect(encodeHex(decoded)).toBe(encodeHex(damaged));
    }
  });
});
