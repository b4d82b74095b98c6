/** A witness report's way to its verdict: waiting, tags that are shared, windows, caps. */
import { beforeEach, describe, expect, test } from "vitest";
import { computeNextSeed } from "../../../protocol/src/evidence/commitReveal.ts";
import type { LedgerMessage } from "../../../protocol/src/ledger/types.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import type { WitnessReport } from "../../../protocol/src/wire/reports.ts";
import { keyOf, type SentBeacon, siteAt, witnessBeacon } from "../../sim/ledgerWorld.ts";
import { earlySlotted, inRow, Scenario, WINDOWS } from "./scenario.ts";

const { witnessWindowRounds: W, revealWindowRounds: R, waitRounds } = WINDOWS;

let scenario: Scenario;
let beaconer: GenesisHotspot;
let witness: GenesisHotspot;
let beacon: SentBeacon;
let slot: number;

beforeEach(() => {
  scenario = new Scenario(inRow(12));
  [beaconer, witness] = earlySlotted(scenario, 2) as [GenesisHotspot, GenesisHotspot];
  beacon = scenario.beacon(beaconer, 0);
  slot = scenario.challenge(beaconer, 0).slotRound;
});

const beaconAt = (round: number) => scenario.at(round, beaconer, { beacons: [beacon.report] });
const revealAt = (round: number) => scenario.at(round, beaconer, scenario.revealOf(beacon));
const hear = (change: Partial<WitnessReport["measurement"]> = {}) => witnessBeacon(beacon, witness, change);
const witnessAt = (round: number, ...witnesses: WitnessReport[]) =>
  scenario.at(round, witness, { witnesses });
/** The first outcome after "pending". */
const verdictOf = (message: LedgerMessage, index = 0) => scenario.history(message, index).slice(1)[0];

describe("windows", () => {
  test.each([
    ["as early as it may be", -waitRounds, "accepted?"],
    ["a round too early", -waitRounds - 1, "refused no_beacon"],
    ["in the window's last round", W, "accepted?"],
    ["after the window, before the close", W + 1, "refused late"],
    ["in the round of the reveal, whatever their order", W + 2, "refused late"],
    ["after the close", W + 3, "refused no_beacon"],
  ])("%s", (_, offset, verdict) => {
    const included = slot + 1;
    beaconAt(included);
    revealAt(included + W + 2);
    const message = witnessAt(included + offset, hear());
    scenario.runTo(included + W + 2 + 1 + waitRounds);
    expect(verdictOf(message)).toBe(verdict);
  });

  test("without any beacon a report waits so many rounds and not one more", () => {
    const message = witnessAt(3, hear());
    scenario.runTo(3 + waitRounds - 1);
    expect(scenario.history(message)).toEqual(["pending"]);
    scenario.step();
    expect(scenario.history(message)).toEqual(["pending", "refused no_beacon"]);
  });
});

describe("tags are hints", () => {
  const forged = (): WitnessReport => ({ ...hear(), proof: keyOf("no proof") });

  test("a proof that does not verify waits for the last candidate, then mismatches", () => {
    beaconAt(slot);
    revealAt(slot + W + 1);
    const message = witnessAt(slot, forged());
    scenario.runTo(slot + W + 1);
    expect(verdictOf(message)).toBe("refused proof_mismatch");
    expect(scenario.last(message).beacon).not.toBeNull();
  });

  test("an edited measurement does not fit its proof", () => {
    beaconAt(slot);
    revealAt(slot + W + 1);
    const report = hear();
    const edited = { ...report, measurement: { ...report.measurement, rssiDeciDbm: -1_100 } };
    const message = witnessAt(slot, edited);
    scenario.runTo(slot + W + 1);
    expect(verdictOf(message)).toBe("refused proof_mismatch");
  });

  test("another's proof is worth nothing in a copier's hands", () => {
    beaconAt(slot);
    revealAt(slot + W + 1);
    const copier = scenario.genesis.hotspots.find((hotspot) => hotspot !== beaconer && hotspot !== witness)!;
    witnessAt(slot, hear());
    const message = scenario.at(slot, copier, { witnesses: [hear()] });
    scenario.runTo(slot + W + 1);
    expect(verdictOf(message)).toBe("refused proof_mismatch");
  });

  test("a copycat's commit under the same tag robs nobody, whether it is refused or stays unrevealed", () => {
    const copycat = scenario.genesis.hotspots.find((hotspot) => {
      const { slotRound } = scenario.challenge(hotspot, 0);
      return hotspot !== beaconer && hotspot !== witness && Math.abs(slotRound - slot) <= 4;
    })!;
    const commit = keyOf("copycat's commit").slice();
    commit.set(beacon.tag);
    const copyRound = scenario.challenge(copycat, 0).slotRound;
    const copy = { ...scenario.beacon(copycat, 0).report, commit };
    const opened = scenario.at(copyRound, copycat, { beacons: [copy] });
    const refused = scenario.at(slot, witness, { beacons: [{ ...beacon.report, commit }] });
    beaconAt(slot + 1);
    const honest = scenario.at(slot + 1, scenario.hotspot(11), {
      witnesses: [witnessBeacon(beacon, scenario.hotspot(11))],
    });
    const believer = witnessAt(Math.max(copyRound, slot + 1), forged());
    revealAt(slot + 1 + W + 1);
    scenario.runTo(slot + 1 + W + 1);
    expect(scenario.history(opened)).toEqual(["pending"]);
    expect(scenario.history(refused)[0]).toMatch(/^refused /);
    expect(verdictOf(honest)).toBe("accepted?");
    // What is not proved waits until the copycat's beacon has closed too; that some candidate was revealed says most.
    expect(verdictOf(believer)).toBeUndefined();
    scenario.runTo(Math.max(copyRound, slot) + W + R);
    expect(verdictOf(believer)).toBe("refused proof_mismatch");
    expect(scenario.history(opened)).toEqual(["pending", "refused never_revealed"]);
  });

  test("one whose only candidate was refused learns that it was", () => {
    scenario.at(slot, beaconer, { beacons: [{ ...beacon.report, bandwidthHz: 250_000 }] });
    const message = witnessAt(slot + 1, hear());
    scenario.runTo(slot + W + R - 1);
    expect(verdictOf(message)).toBeUndefined();
    scenario.step();
    expect(verdictOf(message)).toBe("refused beacon_refused");
  });

  test("a flood of refused beacon reports under a tag is not remembered one by one, and robs nobody", () => {
    const commit = keyOf("flood").slice();
    commit.set(beacon.tag);
    const stubs = Array.from({ length: 16 }, (_, i) => ({
      ...beacon.report,
      commit,
      spreadingFactor: 100 + i,
    }));
    for (const flooder of scenario.genesis.hotspots.slice(0, 6))
      scenario.at(slot - 1, flooder, { beacons: stubs });
    beaconAt(slot);
    revealAt(slot + W + 1);
    const message = witnessAt(slot, hear());
    scenario.runTo(slot);
    expect(scenario.ledger.book.candidates.size).toBe(17);
    scenario.runTo(slot + W + 1);
    expect(verdictOf(message)).toBe("accepted?");
  });

  describe("with another candidate under the tag", () => {
    const stub = (): WitnessReport["tag"] => {
      const commit = keyOf("stub").slice();
      commit.set(beacon.tag);
      return commit;
    };

    beforeEach(() => {
      scenario = new Scenario(inRow(30));
      const isLater = (hotspot: GenesisHotspot) => {
        const { slotRound } = scenario.challenge(hotspot, 0);
        return slotRound >= 17 && slotRound <= 22;
      };
      const place = scenario.genesis.hotspots.findIndex(isLater);
      beaconer = scenario.hotspot(place);
      witness = scenario.hotspot(place === 0 ? 1 : place - 1);
      beacon = scenario.beacon(beaconer, 0);
      slot = scenario.challenge(beaconer, 0).slotRound;
    });

    test("one that closes while the true one could still come does not end the wait", () => {
      const stubRound = slot - W - R - 1;
      const refused = { ...beacon.report, commit: stub() };
      scenario.at(stubRound, scenario.hotspot(29), { beacons: [refused] });
      const message = witnessAt(slot - 3, hear());
      beaconAt(slot + 1);
      revealAt(slot + 1 + W + 1);
      scenario.runTo(slot - 1);
      expect(scenario.ledger.book.candidates.size).toBe(0);
      scenario.runTo(slot + 1 + W + 1);
      expect(verdictOf(message)).toBe("accepted?");
    });

    test("one that stays open does not stretch how early a report may be", () => {
      const message = witnessAt(slot, hear());
      scenario.at(slot, scenario.hotspot(29), { beacons: [{ ...beacon.report, commit: stub() }] });
      beaconAt(slot + waitRounds + 1);
      revealAt(slot + waitRounds + 1 + W + 1);
      scenario.runTo(slot + W + R);
      expect(verdictOf(message)).toBe("refused beacon_refused");
    });
  });
});

describe("duplicates", () => {
  test("are judged among verifying proofs only, the first in finalized order counting", () => {
    beaconAt(slot);
    revealAt(slot + W + 1);
    const forged = { ...hear(), proof: keyOf("no proof") };
    const message = witnessAt(slot, forged, hear(), hear({ snrCentiDb: 525 }));
    scenario.runTo(slot + W + 1);
    expect([0, 1, 2].map((index) => verdictOf(message, index))).toEqual([
      "refused proof_mismatch",
      "accepted?",
      "refused duplicate_witness",
    ]);
  });

  test("the first counts even where it is refused: nobody gets a second guess", () => {
    beaconAt(slot);
    revealAt(slot + W + 1);
    const message = witnessAt(slot, hear({ snrCentiDb: 511 }), hear());
    scenario.runTo(slot + W + 1);
    expect([0, 1].map((index) => verdictOf(message, index))).toEqual([
      "refused snr_off_grid",
      "refused duplicate_witness",
    ]);
  });

  test("a message that stands in two cuts counts once", () => {
    beaconAt(slot);
    const message = witnessAt(slot, hear());
    scenario.put(slot, message);
    scenario.put(slot + 1, message);
    revealAt(slot + W + 1);
    expect(scenario.runTo(slot).included).toHaveLength(2);
    expect(scenario.step().included).toEqual([]);
    scenario.closeEpoch();
    expect(scenario.history(message)).toEqual(["pending", "accepted?", "accepted"]);
    // Nor does it in the next epoch, where it would not be stale.
    scenario.put(40, message);
    expect(scenario.step().included).toEqual([]);
    // Its place is free again.
    expect(scenario.ledger.registry.find(witness.key)!.waiting).toBe(0);
  });
});

describe("limits", () => {
  test("so many reports wait for a hotspot, and few for one tag", () => {
    const reports = (first: number, count: number, tag?: Uint8Array) =>
      Array.from({ length: count }, (_, i) => ({
        ...hear(),
        tag: tag ?? keyOf(`tag ${first + i}`).slice(0, 6),
      }));
    const sameTag = witnessAt(1, ...reports(0, 5, beacon.tag));
    const messages = [0, 16, 32, 48].map((first) => witnessAt(1, ...reports(first, 16)));
    scenario.runTo(1);
    expect(scenario.history(sameTag, 3)).toEqual(["pending"]);
    expect(scenario.history(sameTag, 4)).toEqual(["refused waiting_full"]);
    // Four wait already, so of these 64 the last four find no place.
    expect(scenario.history(messages[3]!, 11)).toEqual(["pending"]);
    expect(scenario.history(messages[3]!, 12)).toEqual(["refused waiting_full"]);
    // Once they have their verdicts, there is room again.
    scenario.runTo(1 + waitRounds);
    const next = witnessAt(scenario.round + 1, ...reports(64, 16));
    scenario.step();
    expect(scenario.history(next, 15)).toEqual(["pending"]);
  });

  test("what is beyond the epoch's quota is counted, once a round, and the next epoch begins anew", () => {
    scenario = new Scenario(inRow(12), { reportsPerEpoch: 20 });
    witness = scenario.hotspot(1);
    const filler = (name: string) => ({ ...hear(), tag: keyOf(name).slice(0, 6) });
    const sixteen = (name: string) => Array.from({ length: 16 }, (_, i) => filler(`${name} ${i}`));
    witnessAt(2, ...sixteen("a"));
    const surplus = witnessAt(2, ...sixteen("b"));
    const result = scenario.runTo(2);
    expect(result.overQuota).toEqual([{ hotspot: witness.key, count: 12 }]);
    expect(scenario.history(surplus, 3)).toEqual(["pending"]);
    expect(scenario.history(surplus, 4)).toEqual([]);
    scenario.closeEpoch();
    witnessAt(40, ...sixteen("c"));
    expect(scenario.step().overQuota).toEqual([]);
  });

  test("messages of epochs that are over or not yet begun are passed over and not remembered", () => {
    const future = scenario.at(39, witness, { witnesses: [hear()] }, 1);
    const result = scenario.runTo(39);
    expect(result.notExecuted).toEqual([{ id: future.id, reason: "future_epoch" }]);
    scenario.put(40, future);
    expect(scenario.step().included).toEqual([future.id]);
    const stale = scenario.at(80, witness, { witnesses: [hear()] }, 0);
    expect(scenario.runTo(80).notExecuted).toEqual([{ id: stale.id, reason: "stale_epoch" }]);
  });

  test("a report from the future is refused at once", () => {
    const timeMs = scenario.genesis.timeMs + slot * 200 + 10_001;
    const message = witnessAt(slot, hear({ timeMs }), hear({ timeMs: timeMs - 1 }));
    scenario.runTo(slot);
    expect(scenario.history(message, 0)).toEqual(["refused future_dated"]);
    expect(scenario.history(message, 1)).toEqual(["pending"]);
  });
});

describe("who witnesses", () => {
  test("not the beaconer itself", () => {
    beaconAt(slot);
    revealAt(slot + W + 1);
    const message = scenario.at(slot, beaconer, { witnesses: [witnessBeacon(beacon, beaconer)] });
    scenario.runTo(slot + W + 1);
    expect(verdictOf(message)).toBe("refused self_witness");
  });

  test("nobody under another region's plan", () => {
    scenario = new Scenario(
      inRow(12).map((hotspot, i) => (i === 11 ? { ...hotspot, region: "IN865" } : hotspot)),
    );
    [beaconer] = earlySlotted(scenario, 1) as [GenesisHotspot];
    beacon = scenario.beacon(beaconer, 0);
    slot = scenario.challenge(beaconer, 0).slotRound;
    witness = scenario.hotspot(11);
    beaconAt(slot);
    revealAt(slot + W + 1);
    const message = witnessAt(slot, hear());
    scenario.runTo(slot + W + 1);
    expect(verdictOf(message)).toBe("refused region_mismatch");
  });

  test("from too close is valid and unpaid, and counts as activity", () => {
    scenario = new Scenario(inRow(12).map((hotspot, i) => ({ ...hotspot, site: siteAt(i * 20, 0) })));
    [beaconer, witness] = earlySlotted(scenario, 2) as [GenesisHotspot, GenesisHotspot];
    beacon = scenario.beacon(beaconer, 0);
    slot = scenario.challenge(beaconer, 0).slotRound;
    const beaconMessage = beaconAt(slot);
    revealAt(slot + W + 1);
    const message = witnessAt(slot, hear({ rssiDeciDbm: -600 }));
    const close = scenario.closeEpoch();
    expect(scenario.history(message)).toEqual(["pending", "accepted too_close"]);
    expect(scenario.history(beaconMessage)).toEqual(["pending", "refused no_witness"]);
    expect(close).toMatchObject({ witnessesAccepted: 1, witnessesUnpaid: { too_close: 1 }, lines: [] });
    // Evidence that earns nothing does not move the seed: choosing to withhold it must be worth nothing either.
    expect(close.nextSeed).toEqual(computeNextSeed(close.seed, []));
    expect(scenario.ledger.viewHotspot(witness.key)!.lastActiveEpoch).toBe(0);
  });

  test("reciprocity is asked of old pairs: heard one way only is valid and unpaid", () => {
    // Genesis counts as registered since epoch -2, so with 2 epochs of reciprocity epoch 0 asks for it.
    scenario = new Scenario(inRow(12), { reciprocityEpochs: 2 });
    const both = [beaconer, witness] as const;
    const inEpoch = (epoch: number, from: GenesisHotspot, to: GenesisHotspot): string | undefined => {
      const sent = scenario.beacon(from, epoch);
      const { slotRound } = scenario.challenge(from, epoch);
      scenario.at(slotRound, from, { beacons: [sent.report] }, epoch);
      const message = scenario.at(slotRound, to, { witnesses: [witnessBeacon(sent, to)] }, epoch);
      scenario.at(slotRound + W + 1, from, scenario.revealOf(sent), epoch);
      scenario.runTo(slotRound + W + 1);
      const verdict = verdictOf(message);
      if (scenario.round < epoch * 40 + 39) scenario.closeEpoch();
      return verdict;
    };
    const verdicts = [
      inEpoch(0, both[0], both[1]),
      // The unpaid report was a link all the same, so the way back is reciprocal.
      inEpoch(1, both[1], both[0]),
      inEpoch(2, both[0], both[1]),
    ];
    expect(verdicts).toEqual(["accepted not_reciprocal", "accepted?", "accepted?"]);
    // Three epochs later the last link of that direction is too old.
    while (scenario.ledger.nextEpoch < 5) scenario.closeEpoch();
    expect(inEpoch(5, both[0], both[1])).toBe("accepted not_reciprocal");
  });
});
