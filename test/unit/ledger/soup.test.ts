/**
 * Random message soups: few hotspots, few tags, few secrets, every field free, so that reports collide in every way.
 * Whatever comes in, execution is total, the same twice, and gives every report exactly one last outcome once its
 * windows have passed.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { computeCommit, computeProof, computeTag } from "../../../protocol/src/evidence/commitReveal.ts";
import { executeRound } from "../../../protocol/src/ledger/execute.ts";
import { encodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import { createLedger } from "../../../protocol/src/ledger/state.ts";
import type { LedgerMessage } from "../../../protocol/src/ledger/types.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import { epochOfRound } from "../../../protocol/src/network/parameters.ts";
import { encodeMeasurement, RSSI_KINDS } from "../../../protocol/src/wire/reports.ts";
import { ReportAudit } from "../../sim/ledger.ts";
import { keyOf, MessageMaker, type SentBeacon, witnessBeacon } from "../../sim/ledgerWorld.ts";
import { inRow, Scenario } from "./scenario.ts";

const HOTSPOTS = 5;
const ROUNDS = 90;
/** Rounds after the last message: the longest wait, and the end of the epoch in which it ends. */
const QUIET_ROUNDS = 80;
/** Every hotspot is challenged in every epoch and may beacon in any round of it, so that many beacons open. */
const PARAMETERS = { beaconToleranceRounds: 39, reportsPerEpoch: 120, waitingPerHotspot: 40 } as const;

const { genesis } = new Scenario(inRow(HOTSPOTS), PARAMETERS);
const maker = new MessageMaker(genesis);
const SECRETS = ["a", "b"].map((name) => keyOf(`secret ${name}`).slice(0, 16));

const uint = (bits: number) =>
  fc.oneof(
    fc.nat(2 ** Math.min(bits, 30)),
    fc.maxSafeNat().map((n) => n % 2 ** bits),
  );
const anyMeasurement = fc.record({
  rssiDeciDbm: fc.integer({ min: -32_768, max: 32_767 }),
  rssiKind: fc.constantFrom(...RSSI_KINDS),
  snrCentiDb: fc.integer({ min: -32_768, max: 32_767 }),
  freqHz: uint(32),
  spreadingFactor: fc.nat(255),
  bandwidthHz: uint(32),
  timeMs: fc.oneof(fc.constant(genesis.timeMs), fc.maxSafeNat()),
});
const anyBeacon = fc.record({
  freqHz: uint(32),
  spreadingFactor: fc.nat(255),
  bandwidthHz: uint(32),
  powerCentiDbm: fc.integer({ min: -32_768, max: 32_767 }),
  timeMs: fc.maxSafeNat(),
});
/** One report of a hotspot about a hotspot's beacon of an epoch; `honest` is as it should be, else anything. */
const anyReport = fc.record({
  kind: fc.constantFrom("beacon", "witness", "witness", "reveal"),
  about: fc.nat(HOTSPOTS - 1),
  secret: fc.constantFrom(0, 0, 0, 1),
  epochsBack: fc.constantFrom(0, 0, 0, 1),
  honest: fc.constantFrom(true, true, false),
  proves: fc.constantFrom(true, true, true, false),
  measurement: anyMeasurement,
  beacon: anyBeacon,
});
const anyBundle = fc.record({
  round: fc.nat(ROUNDS - 1),
  sender: fc.oneof(fc.nat(HOTSPOTS - 1), fc.constant(HOTSPOTS)),
  epoch: fc.constantFrom(0, 0, 0, 0, -1, -2, 1),
  /** In how many rounds the very message comes. */
  copies: fc.nat(2),
  reports: fc.array(anyReport, { minLength: 1, maxLength: 12, size: "max" }),
});
type Bundle = typeof anyBundle extends fc.Arbitrary<infer T> ? T : never;
type Report = Bundle["reports"][number];

const hotspotOf = (index: number): GenesisHotspot =>
  genesis.hotspots[index] ?? { ...genesis.hotspots[0]!, key: keyOf("stranger") };

/** What the hotspot would have sent for the epoch's challenge; seeds of later epochs are the soup's, so asked late. */
function sentBeacon(
  scenario: Scenario,
  { about, secret, epochsBack }: Report,
  round: number,
): SentBeacon | null {
  const hotspot = hotspotOf(about);
  const epoch = epochOfRound(genesis.parameters, round) - epochsBack;
  if (epoch < 0 || scenario.ledger.seedOf(epoch) === null) return null;
  const sent = scenario.beacon(hotspot, epoch);
  const commit = computeCommit(hotspot.key, epoch, SECRETS[secret]!);
  return { ...sent, secret: SECRETS[secret]!, tag: computeTag(commit), report: { ...sent.report, commit } };
}

function messageOf(
  scenario: Scenario,
  { sender, epoch, reports }: Bundle,
  round: number,
): LedgerMessage | null {
  const hotspot = hotspotOf(sender);
  const beacons = [];
  const witnesses = [];
  const reveals = [];
  for (const report of reports) {
    const sent = sentBeacon(scenario, report, round);
    if (sent === null) continue;
    const { measurement, honest, proves } = report;
    if (report.kind === "beacon")
      beacons.push(honest ? sent.report : { ...report.beacon, commit: sent.report.commit });
    if (report.kind === "reveal") reveals.push({ tag: sent.tag, secret: sent.secret });
    if (report.kind === "witness") {
      const proof = computeProof(
        sent.secret,
        proves ? hotspot.key : sent.hotspot.key,
        encodeMeasurement(measurement),
      );
      witnesses.push(honest ? witnessBeacon(sent, hotspot) : { tag: sent.tag, proof, measurement });
    }
  }
  if (beacons.length + witnesses.length + reveals.length === 0) return null;
  const itsEpoch = Math.max(0, epochOfRound(genesis.parameters, round) + epoch);
  return maker.reports(hotspot.key, itsEpoch, { beacons, witnesses, reveals });
}

/** Runs a soup until every window has passed. */
function cook(bundles: readonly Bundle[]): { audit: ReportAudit; state: string } {
  const scenario = new Scenario(inRow(HOTSPOTS), PARAMETERS);
  scenario.ledger = createLedger(genesis);
  const audit = new ReportAudit();
  const due = new Map<number, LedgerMessage[]>();
  for (let round = 0; round < ROUNDS + QUIET_ROUNDS; round++) {
    for (const bundle of bundles.filter((each) => each.round === round)) {
      const message = messageOf(scenario, bundle, round);
      if (message === null) continue;
      for (let copy = 0; copy <= bundle.copies; copy++) {
        due.set(round + copy * 7, [...(due.get(round + copy * 7) ?? []), message]);
      }
    }
    const messages = due.get(round) ?? [];
    const timeMs = genesis.timeMs + round * genesis.parameters.roundMs;
    audit.note(
      messages,
      executeRound(scenario.ledger, { round, timeMs, messages, participants: [], evidence: [], lanes: [] }),
    );
  }
  return { audit, state: encodeHex(encodeLedger(scenario.ledger)) };
}

test("every report in any soup has exactly one last outcome, or is surplus", () => {
  const reached = new Set<string>();
  fc.assert(
    fc.property(fc.array(anyBundle, { maxLength: 150, size: "max" }), (bundles) => {
      const { audit } = cook(bundles);
      expect(audit.faults).toEqual([]);
      expect([...audit.open]).toEqual([]);
      expect(audit.final.size + audit.overQuota).toBe(audit.executed);
      for (const reason of audit.final.values()) reached.add(reason);
    }),
    { numRuns: 40, seed: 7 },
  );
  // A soup that only ever gets refused at the door would prove little.
  for (const reason of [
    "accepted",
    "no_beacon",
    "proof_mismatch",
    "never_revealed",
    "late",
    "duplicate_witness",
  ]) {
    expect(reached).toContain(reason);
  }
});

test("the same soup gives the same state to the byte", () => {
  fc.assert(
    fc.property(fc.array(anyBundle, { maxLength: 60, size: "max" }), (bundles) => {
      expect(cook(bundles).state).toBe(cook(bundles).state);
    }),
    { numRuns: 10 },
  );
});
