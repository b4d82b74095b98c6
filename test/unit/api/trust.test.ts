/** Trust and rewards taken apart, over what a real ledger gave: every number follows from its factors. */
import type { Static } from "typebox";
import { beforeAll, describe, expect, test } from "vitest";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import type { EpochClose } from "../../../protocol/src/ledger/types.ts";
import { PPM } from "../../../protocol/src/network/parameters.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { PENALTY_REASONS } from "../../../protocol/src/trust/finding.ts";
import { computeQualityPpm } from "../../../protocol/src/trust/quality.ts";
import { type ExplainStore, explainReward } from "../../../validator/src/api/explain.ts";
import type { Explanation } from "../../../validator/src/api/schemas/trust.ts";
import type { Store } from "../../../validator/src/store/store.ts";
import { RING, runEpoch } from "../ledger/ring.ts";
import { Scenario } from "../ledger/scenario.ts";
import { createFixture, did, type Fixture } from "./apiFixture.ts";
import { storeRounds } from "./storedRounds.ts";

const EPOCHS = 6;
const closes: EpochClose[] = [];
/** For each epoch what all counterparts on record were worth at its start, by hotspot. */
const standings: ReadonlyMap<string, number>[] = [];
let fixture: Fixture;
let store: Store;

beforeAll(async () => {
  const scenario = new Scenario(RING);
  const rounds = storeRounds(scenario);
  store = rounds.store;
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const { registry, trust } = scenario.ledger;
    const { standingPpm } = trust.generations[trust.generationAt(epoch)]!;
    const entries = registry.list.map(
      ({ key, index }) => [encodeDidKey(key), standingPpm[index] ?? 0] as const,
    );
    standings.push(new Map(entries));
    runEpoch(scenario, scenario.hotspot(0));
  }
  await rounds.settled();
  closes.push(...scenario.closes);
  fixture = await createFixture({}, { store });
});

type Report = Static<typeof Explanation>["reports"][number];

/** Multiplies a report's factors out to its units. @returns the links. */
function expectFactors({ unitsPpm, kind, factors }: Report): number {
  const { links, candidates, divisor, unpaid, mayEarn } = factors!;
  expect(links.length).toBe(kind === "witness" ? 1 : Math.min(3, candidates));
  for (const { trustPpm, counterpartTrustPpm, qualityPpm, valuePpm, distanceM } of links) {
    expect(qualityPpm).toBe(computeQualityPpm(distanceM));
    expect(valuePpm).toBe(Math.floor((Math.min(trustPpm, counterpartTrustPpm) * qualityPpm) / PPM));
  }
  const sum = links.reduce((total, { valuePpm }) => total + valuePpm, 0);
  for (const by of [divisor.leastPpm, divisor.mostPpm]) {
    expect(unpaid === null && mayEarn ? Math.floor((sum * PPM) / by) : 0).toBe(unitsPpm);
  }
  return links.length;
}

describe("an explained reward", () => {
  test("multiplies out to the base unit, report by report, for every line of every epoch", async () => {
    let explained = 0;
    let takenApart = 0;
    let divided = 0;
    for (const close of closes) {
      for (const line of close.lines) {
        const url = `/v1/hotspots/${encodeDidKey(line.hotspot)}/rewards/${close.epoch}/explain`;
        const answer = (await fixture.get(url)).json();
        expect(answer).toMatchObject({
          epoch: close.epoch,
          scoreVersion: 2,
          trustPpm: line.trustPpm,
          complete: true,
        });
        for (const [part, amount] of [
          ["beacons", line.beaconPaid + line.beaconWithheld],
          ["witnesses", line.witnessPaid + line.witnessWithheld],
        ] as const) {
          const pool = answer[part];
          expect(BigInt(pool.share)).toBe(BigInt(pool.unitsPpm) * BigInt(line.scalePpm));
          const quotient =
            (BigInt(pool.poolPaid) * BigInt(pool.share)) / BigInt(pool.shares === "0" ? 1 : pool.shares);
          expect(BigInt(pool.quotient)).toBe(quotient);
          expect(quotient + BigInt(pool.remainderUnit)).toBe(amount);
          const units = answer.reports
            .filter(({ kind }: { kind: string }) => kind === (part === "beacons" ? "beacon" : "witness"))
            .reduce((sum: number, report: { unitsPpm: number }) => sum + report.unitsPpm, 0);
          expect(units).toBe(pool.unitsPpm);
        }
        for (const end of ["leastPpm", "mostPpm"]) {
          expect(Math.floor(4e12 / (4e6 + answer.crowd[end]))).toBe(line.scalePpm);
        }
        for (const report of answer.reports) {
          expect(report.missing).toBeNull();
          takenApart += expectFactors(report);
          if (report.kind === "beacon") continue;
          // Everybody here beacons in the epoch of the challenge, so that the trust at its start counts.
          const standing = Math.max(3 * PPM, standings[close.epoch]!.get(encodeDidKey(line.hotspot)) ?? 0);
          expect(report.factors.divisor.leastPpm).toBeLessThanOrEqual(standing);
          expect(report.factors.divisor.mostPpm).toBeGreaterThanOrEqual(standing);
          if (standing > 3 * PPM) divided++;
        }
        explained++;
      }
    }
    expect(explained).toBeGreaterThan(30);
    expect(takenApart).toBeGreaterThan(300);
    expect(divided).toBeGreaterThan(50);
  });

  test("is an error where a stored amount does not follow from its factors", async () => {
    const { hotspot } = closes[0]!.lines[0]!;
    for (const [change, follows] of [
      [0n, true],
      [2n, false],
      [-2n, false],
    ] as const) {
      const getRewardLine: ExplainStore["getRewardLine"] = async (epoch, key) => {
        const line = (await store.getRewardLine(epoch, key))!;
        return { ...line, witnessPaid: line.witnessPaid + change };
      };
      const explained = explainReward({ ...store, getRewardLine }, PRESETS.test, hotspot, 0);
      if (follows) await expect(explained).resolves.not.toBeNull();
      else await expect(explained).rejects.toThrow("does not follow from its factors");
    }
  });

  test("says so where what is kept does not give a report's units any more, and shows no factors", async () => {
    const { hotspot } = closes.at(-1)!.lines[0]!;
    const without: Partial<ExplainStore>[] = [
      { getHotspot: async () => null },
      { getBeacon: async () => null },
      // Somebody's trust that no computation gave.
      {
        listTrust: async (key, before, limit) => {
          const page = await store.listTrust(key, before, limit);
          const trustPpm = 500_000 + 1_000 * key[0]!;
          const row = { hotspot: key, fromEpoch: 0, graphPpm: trustPpm, trustPpm };
          return { ...page, rows: [{ ...row, isSuspended: false, isAppealed: false, findings: [] }] };
        },
      },
    ];
    for (const changed of without) {
      const explained = await explainReward({ ...store, ...changed }, PRESETS.test, hotspot, EPOCHS - 1);
      expect(explained!.reports.length).toBeGreaterThan(5);
      for (const { factors, missing, unitsPpm } of explained!.reports) {
        if (unitsPpm === 0) continue;
        expect(factors).toBeNull();
        expect(missing).toContain("does not give these units any more");
      }
    }
  });

  test("is not there for an epoch or hotspot without a line", async () => {
    const [line] = closes[0]!.lines;
    for (const path of [`${encodeDidKey(line!.hotspot)}/rewards/99`, `${did("nobody")}/rewards/0`]) {
      expect((await fixture.get(`/v1/hotspots/${path}/explain`)).statusCode).toBe(404);
    }
  });
});

describe("a hotspot's trust", () => {
  test("is told with every finding, its evidence by report, and its end", async () => {
    const rows = closes
      .flatMap(({ trustRows }) => trustRows ?? [])
      .filter(({ findings }) => findings.length > 0);
    expect(rows.length).toBeGreaterThan(0);
    let named = 0;
    for (const row of rows) {
      const answer = (await fixture.get(`/v1/hotspots/${encodeDidKey(row.hotspot)}/trust`)).json();
      const shown = answer.items.find(({ fromEpoch }: { fromEpoch: number }) => fromEpoch === row.fromEpoch);
      expect(shown).toMatchObject({
        trustPpm: row.trustPpm,
        graphPpm: row.graphPpm,
        suspended: row.isSuspended,
      });
      for (const [i, finding] of row.findings.entries()) {
        const said = shown.findings[i];
        expect(said).toMatchObject({ penalty: finding.reason, endsEpoch: finding.endsEpoch });
        for (const [j, evidence] of finding.evidence.entries()) {
          const epochs = [evidence.heardEpoch, evidence.heardByEpoch].filter((epoch) => epoch >= 0);
          expect(said.evidence[j].reports.length).toBeGreaterThanOrEqual(epochs.length);
          named += said.evidence[j].reports.length;
        }
      }
      expect(answer.current.fromEpoch).toBe(answer.items[0].fromEpoch);
      const activity = (
        await fixture.get(`/v1/hotspots/${encodeDidKey(row.hotspot)}/activity?limit=1`)
      ).json();
      expect(activity.trust).toMatchObject({ fromEpoch: answer.current.fromEpoch });
    }
    expect(named).toBeGreaterThan(0);
  });

  test("has pages, and is not there for a stranger", async () => {
    const { hotspot } = closes.flatMap(({ trustRows }) => trustRows ?? [])[0]!;
    const url = `/v1/hotspots/${encodeDidKey(hotspot)}/trust`;
    const all = (await fixture.get(url)).json().items;
    const first = (await fixture.get(`${url}?limit=1`)).json();
    expect(first.items).toEqual(all.slice(0, 1));
    if (all.length > 1) {
      expect((await fixture.get(`${url}?limit=1&cursor=${first.next}`)).json().items).toEqual(
        all.slice(1, 2),
      );
    }
    expect((await fixture.get(`/v1/hotspots/${did("nobody")}/trust`)).statusCode).toBe(404);
  });
});

test("the table of penalties has every one, with its thresholds and source", async () => {
  const answer = (await fixture.get("/v1/trust/penalties")).json();
  expect(answer.items.map(({ penalty }: { penalty: string }) => penalty)).toEqual([...PENALTY_REASONS]);
  const { trustPaidMinPpm: paidMinPpm, penaltyEpochs, escrowEpochs } = PRESETS.test;
  expect(answer).toMatchObject({ paidMinPpm, penaltyEpochs, escrowEpochs });
  expect(answer.items.every(({ source }: { source: string }) => source.length > 5)).toBe(true);
});
