/** Trust in the ledger: what feeds it, when it decides, what is withheld, appealed, released and returned. */
import { describe, expect, test } from "vitest";
import { computeBooks } from "../../../protocol/src/ledger/books.ts";
import { decodeLedger, encodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import { createLedger } from "../../../protocol/src/ledger/state.ts";
import type { EpochClose, TrustRow } from "../../../protocol/src/ledger/types.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import { type Parameters, PPM } from "../../../protocol/src/network/parameters.ts";
import { PAID_DISTANCE_MAX_M } from "../../../protocol/src/radio/gates.ts";
import { PAIRS_PER_WITNESS_MAX } from "../../../protocol/src/trust/linkHistory.ts";
import { EMPTY_MOMENTS } from "../../../protocol/src/trust/moments.ts";
import { keyOf, siteAt, witnessBeacon } from "../../sim/ledgerWorld.ts";
import { RING, runEpoch, strike } from "./ring.ts";
import { Scenario, WINDOWS } from "./scenario.ts";

const { witnessWindowRounds: W } = WINDOWS;

const open = (parameters: Partial<Parameters> = {}): Scenario => new Scenario(RING, parameters);
const rowOf = (close: EpochClose, { key }: GenesisHotspot): TrustRow | undefined =>
  close.trustRows?.find(({ hotspot }) => String(hotspot) === String(key));
const lineOf = (close: EpochClose, { key }: GenesisHotspot) =>
  close.lines.find(({ hotspot }) => String(hotspot) === String(key));
const balanceOf = (scenario: Scenario, { owner }: GenesisHotspot): bigint =>
  scenario.ledger.viewAccount(owner)?.balance ?? 0n;

describe("what the history is fed", () => {
  test("valid reports and those that physics refuses, at both ends, with the beacons that were sent", () => {
    const scenario = open({ beaconToleranceRounds: 39, roundsPerEpoch: 40 });
    const [beaconer, fair, loud] = scenario.genesis.hotspots as [
      GenesisHotspot,
      GenesisHotspot,
      GenesisHotspot,
    ];
    const sent = scenario.beacon(beaconer, 0);
    const { slotRound } = scenario.challenge(beaconer, 0);
    scenario.at(slotRound, beaconer, { beacons: [sent.report] });
    scenario.at(slotRound, fair, { witnesses: [witnessBeacon(sent, fair)] });
    scenario.at(slotRound, loud, { witnesses: [witnessBeacon(sent, loud, { rssiDeciDbm: -300 })] });
    scenario.at(slotRound + W + 1, beaconer, scenario.revealOf(sent), 0);
    scenario.closeEpoch();
    scenario.closeEpoch();
    const { history } = scenario.ledger.trust;
    expect(history.find(1, 0, 2)).toMatchObject({ epochs: 1, count: 1 });
    // A refused one shows how a receiver works, and opens no pair.
    expect(history.find(2, 0, 2)).toBeNull();
    expect(history.receivers.read(2, 2).count).toBe(1);
    expect(history.receivers.countBeacons(0, 2)).toBe(1);
    expect(history.find(3, 0, 2)).toBeNull();
  });

  test("what is farther than is paid, as far as that: a longer lie about a place is no safer than a shorter", () => {
    const sites = [0, 50_000, 101_000].map((eastM, i) => ({ name: `hotspot ${i}`, site: siteAt(eastM, 0) }));
    const scenario = new Scenario(sites, { beaconToleranceRounds: 39 });
    const [beaconer, near, far] = scenario.genesis.hotspots as [
      GenesisHotspot,
      GenesisHotspot,
      GenesisHotspot,
    ];
    const sent = scenario.beacon(beaconer, 0);
    const { slotRound } = scenario.challenge(beaconer, 0);
    scenario.at(slotRound, beaconer, { beacons: [sent.report] });
    const reports = [near, far].map((witness) =>
      scenario.at(slotRound, witness, { witnesses: [witnessBeacon(sent, witness)] }),
    );
    scenario.at(slotRound + W + 1, beaconer, scenario.revealOf(sent), 0);
    scenario.closeEpoch();
    scenario.closeEpoch();
    expect(scenario.history(reports[1]!).at(-1)).toBe("accepted too_far");
    const { history } = scenario.ledger.trust;
    expect(history.find(1, 0, 2)).toMatchObject({ epochs: 1, distanceM: 49_984 });
    expect(history.find(2, 0, 2)).toMatchObject({ epochs: 1, distanceM: PAID_DISTANCE_MAX_M });
    expect([1, 2].map((witness) => history.receivers.read(witness, 2).count)).toEqual([1, 1]);
  });

  test("what has no place on record is not paid, and bears nobody out", () => {
    const scenario = open({ beaconToleranceRounds: 39, roundsPerEpoch: 40 });
    const [beaconer, full, fair] = scenario.genesis.hotspots as [
      GenesisHotspot,
      GenesisHotspot,
      GenesisHotspot,
    ];
    const { trust } = scenario.ledger;
    for (let i = 0; i < PAIRS_PER_WITNESS_MAX; i++) {
      trust.history.record({
        ...{ witness: 1, beaconer: 100 + i, epoch: 0, verdict: "valid", distanceM: 200, marginCentiDb: 0 },
        moments: EMPTY_MOMENTS,
      });
    }
    const sent = scenario.beacon(beaconer, 0);
    const { slotRound } = scenario.challenge(beaconer, 0);
    scenario.at(slotRound, beaconer, { beacons: [sent.report] });
    const reports = [full, fair].map((witness) =>
      scenario.at(slotRound, witness, { witnesses: [witnessBeacon(sent, witness)] }),
    );
    scenario.at(slotRound + W + 1, beaconer, scenario.revealOf(sent), 0);
    const close = scenario.closeEpoch();
    expect(reports.map((report) => scenario.history(report).at(-1))).toEqual([
      "accepted over_link_cap",
      "accepted",
    ]);
    expect(close.witnessesUnpaid).toEqual({ over_link_cap: 1 });
    expect(trust.history.find(1, 0, 1)).toBeNull();
    expect(trust.corroboration.newestEpoch.get(1)).toBe(-1);
  });

  test("is forgotten where a hotspot asserts another place, and kept where it asserts the same", () => {
    const scenario = open();
    runEpoch(scenario);
    const [hotspot] = scenario.genesis.hotspots as [GenesisHotspot];
    const { links } = scenario.ledger.trust.history;
    const before = links.size;
    expect(before).toBeGreaterThan(10);
    const assert = (nonce: number, gainCentiDbi: number) => {
      const epoch = scenario.ledger.nextEpoch;
      const { key, cell, latE7, lngE7, elevationM } = hotspot;
      const assertion = {
        hotspot: key,
        cell,
        latE7,
        lngE7,
        gainCentiDbi,
        elevationM: elevationM + 1,
        region: 1,
        epoch,
      };
      const hotspotSignature = new Uint8Array(64);
      scenario.transact(scenario.round + 1, hotspot.owner, {
        ...{ kind: "assert", epoch, nonce, assertion, hotspotSignature },
      });
      expect(scenario.step().transactions[0]).toMatchObject({ reason: null });
    };
    assert(0, hotspot.gainCentiDbi);
    expect(links.size).toBe(before);
    assert(1, hotspot.gainCentiDbi + 10);
    expect(links.size).toBeLessThan(before);
    for (let other = 1; other < RING.length; other++) expect(links.find(0, other, 1)).toBeNull();
  });
});

describe("the epochs in which trust is computed", () => {
  test("a forger of one value is found, named with evidence, and paid by a quarter from the next epoch on", () => {
    const scenario = open();
    const forger = scenario.hotspot(0);
    const closes = Array.from({ length: 6 }, () => runEpoch(scenario, forger));
    expect(closes.map(({ trustRows }) => trustRows !== null)).toEqual([
      false,
      true,
      false,
      true,
      false,
      true,
    ]);
    const row = rowOf(closes[3]!, forger) ?? rowOf(closes[1]!, forger)!;
    expect(row.trustPpm).toBeLessThan(PPM);
    const [finding] = row.findings;
    expect(finding).toMatchObject({ reason: "constant_window", factorPpm: 250_000 });
    expect(finding!.evidence.length).toBeGreaterThan(3);
    expect(finding!.evidence[0]!.heardEpoch).toBeGreaterThanOrEqual(0);
    const line = lineOf(closes[5]!, forger)!;
    expect(line.trustPpm).toBeLessThanOrEqual(250_000);
    expect(line.penalties & 4).toBe(4);
    const honest = closes[5]!.lines.filter(({ hotspot }) => String(hotspot) !== String(forger.key));
    expect(honest.every(({ trustPpm }) => trustPpm === PPM)).toBe(true);
  });

  test("with seeds the graph decides from its epoch on; who is linked to nobody is not paid and nothing is withheld", () => {
    const scenario = open({ trustFromEpoch: 4 });
    const trustSeeds = scenario.genesis.hotspots.slice(0, 3).map(({ key }) => key);
    Object.assign(scenario.genesis, { trustSeeds });
    scenario.ledger = createLedger(scenario.genesis);
    const closes = Array.from({ length: 6 }, () => runEpoch(scenario));
    const { trust } = scenario.ledger;
    expect(trust.generations.map(({ newcomerPpm }) => newcomerPpm)).toEqual([0, 0]);
    expect(trust.trustAt(99, 6)).toMatchObject({ graphPpm: 0, isSuspended: false });
    expect(closes[5]!.lines.length).toBeGreaterThan(5);
    expect(trust.seeds).toHaveLength(3);
  });

  test("a snapshot goes on as the ledger it was taken of, trust and all", () => {
    const scenario = open();
    for (let epoch = 0; epoch < 3; epoch++) runEpoch(scenario, scenario.hotspot(0));
    strike(scenario, 1, 40);
    runEpoch(scenario);
    const bytes = encodeLedger(scenario.ledger);
    const decoded = decodeLedger(scenario.genesis, bytes);
    expect(encodeLedger(decoded)).toEqual(bytes);
    const closed = runEpoch(scenario);
    const twin = open();
    twin.ledger = decodeLedger(scenario.genesis, bytes);
    expect(runEpoch(twin).recordDigest).toEqual(closed.recordDigest);
    expect(encodeLedger(twin.ledger)).toEqual(encodeLedger(scenario.ledger));
  });
});

describe("suspension from pay", () => {
  /** Runs to an epoch that begins an interval, strikes hotspot 0 and gives what the next epoch withheld. */
  const suspend = () => {
    const scenario = open();
    for (let epoch = 0; epoch < 4; epoch++) runEpoch(scenario);
    strike(scenario, 0, 40);
    const hotspot = scenario.hotspot(0);
    const before = balanceOf(scenario, hotspot);
    const close = runEpoch(scenario);
    const line = lineOf(close, hotspot)!;
    const withheld = line.beaconWithheld + line.witnessWithheld;
    expect(withheld).toBeGreaterThan(0n);
    return { scenario, hotspot, before, close, line, withheld };
  };
  const appeal = (scenario: Scenario, { key, owner }: GenesisHotspot, evidence: readonly Uint8Array[]) => {
    const nonce = scenario.ledger.viewAccount(owner)!.nonce;
    const epoch = scenario.ledger.nextEpoch;
    scenario.transact(scenario.round + 1, owner, { kind: "appeal", epoch, nonce, hotspot: key, evidence });
    return scenario.step().transactions[0]!.reason;
  };

  test("withholds what would be paid, and nothing else: it goes on witnessing, and the books hold it", () => {
    const { scenario, hotspot, before, close, line, withheld } = suspend();
    expect(line).toMatchObject({ beaconPaid: 0n, witnessPaid: 0n, trustPpm: 62_500, penalties: 4 + 32 });
    // No more than what an honest one there earns, or it would pay to be suspended and acquitted.
    const others = close.lines.filter((one) => one !== line).map(({ witnessUnitsPpm }) => witnessUnitsPpm);
    expect(line.witnessUnitsPpm).toBeLessThanOrEqual(Math.max(...others));
    expect(balanceOf(scenario, hotspot)).toBe(before);
    expect(close.escrow).toEqual({
      ...{ carriedIn: 0n, withheld, released: 0n, returned: 0n, carriedOut: withheld },
    });
    expect(computeBooks(scenario.ledger)).toMatchObject({ escrow: withheld, isBalanced: true });
    expect(scenario.ledger.viewHotspot(hotspot.key)!.lastActiveEpoch).toBe(4);
  });

  test("an appeal is refused without standing, ownership or a link that vouches", () => {
    const { scenario, hotspot } = suspend();
    const other = scenario.hotspot(1);
    expect(appeal(scenario, { ...hotspot, key: keyOf("nobody") }, [other.key])).toBe("not_registered");
    expect(appeal(scenario, { ...hotspot, key: other.key }, [other.key])).toBe("not_owner");
    expect(appeal(scenario, other, [hotspot.key])).toBe("not_penalised");
    expect(appeal(scenario, hotspot, [other.key, keyOf("nobody")])).toBe("no_evidence");
    expect(appeal(scenario, hotspot, [hotspot.key])).toBe("no_evidence");
  });

  test("an appeal that the fuller record bears out releases all of it to its owner", () => {
    const { scenario, hotspot, before, withheld } = suspend();
    const other = scenario.hotspot(1);
    expect(appeal(scenario, hotspot, [other.key])).toBeNull();
    // A restart in between changes nothing.
    scenario.ledger = decodeLedger(scenario.genesis, encodeLedger(scenario.ledger));
    const close = scenario.closeEpoch();
    expect(close.escrow.released).toBe(withheld);
    expect(close.releases).toEqual([{ hotspot: hotspot.key, owner: hotspot.owner, amount: withheld }]);
    expect(close.escrow.carriedOut).toBe(0n);
    expect(rowOf(close, hotspot)).toMatchObject({
      isAppealed: true,
      isSuspended: false,
      trustPpm: PPM,
      findings: [],
    });
    expect(balanceOf(scenario, hotspot)).toBeGreaterThanOrEqual(before + withheld);
    expect(scenario.ledger.viewAccount(hotspot.owner)!.earned).toBeGreaterThanOrEqual(withheld);
    expect(computeBooks(scenario.ledger)).toMatchObject({ escrow: 0n, isBalanced: true });
  });

  test("an appeal that the record does not bear out changes nothing", () => {
    const scenario = open();
    const forger = scenario.hotspot(0);
    for (let epoch = 0; epoch < 4; epoch++) runEpoch(scenario, forger);
    expect(appeal(scenario, forger, [scenario.hotspot(1).key])).toBeNull();
    scenario.closeEpoch();
    const close = scenario.closeEpoch();
    expect(rowOf(close, forger)).toMatchObject({ isAppealed: true });
    expect(rowOf(close, forger)!.findings.map(({ reason }) => reason)).toContain("constant_window");
  });

  test("what nobody's reversal releases returns to its pools, to the base unit", () => {
    const { scenario, hotspot, before, line, withheld } = suspend();
    let carriedOut = scenario.closes.at(-1)!.pools;
    let returned: EpochClose | null = null;
    // Withheld in epoch 4, whose interval ends with 5; six epochs later it can be released, and in the next it returns.
    while (returned === null) {
      const close = scenario.closeEpoch();
      if (close.escrow.returned > 0n) returned = close;
      else carriedOut = close.pools;
      expect(computeBooks(scenario.ledger).isBalanced).toBe(true);
    }
    expect(returned.epoch).toBe(12);
    expect(returned.escrow.returned).toBe(withheld);
    expect(returned.pools.beacons.carriedIn).toBe(carriedOut.beacons.carriedOut + line.beaconWithheld);
    expect(returned.pools.witnesses.carriedIn).toBe(carriedOut.witnesses.carriedOut + line.witnessWithheld);
    expect(balanceOf(scenario, hotspot)).toBe(before);
  });
});
