/** Four validators over real homes: one history, whoever is lost or comes back. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import { checkRewardCert } from "../../../protocol/src/agreement/attest.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { encodeParcel } from "../../../protocol/src/wire/envelope.ts";
import { contextOf, signReports } from "./support/network.ts";
import { createGenesisOf, digestsOf, SeveralValidators } from "./support/severalValidators.ts";

describe("four validators", () => {
  let several: SeveralValidators;
  beforeEach(() => {
    several = new SeveralValidators(createGenesisOf(4, 4));
  });
  afterEach(() => several.end());

  const newestOf = (position: number) => several.running[position]!.results.at(-1)?.round ?? -1;
  const allReach = (round: number, positions = [0, 1, 2, 3]) =>
    several.until(() => positions.every((position) => newestOf(position) >= round));

  function expectOneHistory(): void {
    const histories = several.running.flatMap((each) => (each === null ? [] : [digestsOf(each)]));
    const longest = histories.toSorted((a, b) => b.size - a.size)[0]!;
    for (const history of histories)
      for (const [round, digest] of history) if (longest.has(round)) expect(digest).toBe(longest.get(round));
  }

  test("decide the same rounds, execute what any of them was given, and attest to one reward root", async () => {
    const context = contextOf(several.genesis);
    await Promise.all([0, 1, 2, 3].map((position) => several.start(position)));
    await allReach(1);
    const ids: string[] = [];
    for (let position = 0; position < 4; position++) {
      const parcel = encodeParcel([signReports(context, position, 0, position)]);
      const [item] = await several.running[position]!.core.intake.submit("peer", parcel);
      expect(item!.reason).toBeNull();
      ids.push(encodeHex(item!.id));
    }
    const { roundsPerEpoch } = context.parameters;
    await allReach(2 * roundsPerEpoch + 1);
    await several.until(() => several.running.every((each) => each!.core.attestor.hasRewardCert(1)));
    expectOneHistory();
    for (const each of several.running) {
      const included = each!.results.flatMap((result) => result.included.map(encodeHex));
      expect(included.filter((id) => ids.includes(id)).sort()).toEqual([...ids].sort());
      expect(each!.splits()).toBe(0);
    }
    const certs = several.running.map((each) => each!.core.attestor.rewardCert(1)!);
    for (const cert of certs) {
      expect(checkRewardCert(cert, context.set, context.domains, verifySignature)).toBeNull();
      expect(cert.attest).toEqual(certs[0]!.attest);
    }
    const closes = several.running[2]!.results.flatMap(({ epochClose }) => epochClose ?? []);
    expect(certs[0]!.attest.rewardRoot).toEqual(closes[1]!.rewardRoot);
  }, 60_000);

  test("go on without one, which catches up when it is back", async () => {
    const context = contextOf(several.genesis);
    await Promise.all([0, 1, 2, 3].map((position) => several.start(position)));
    await allReach(2);
    await several.running[1]!.end();
    const rest = [0, 2, 3];
    const from = Math.max(...rest.map(newestOf));
    const parcel = encodeParcel([signReports(context, 0, Math.floor((from + 1) / 10), 77)]);
    await several.running[0]!.core.intake.submit("peer", parcel);
    await allReach(from + 12, rest);
    const target = Math.max(...rest.map(newestOf)) + 5;
    await several.start(1);
    await allReach(target);
    expectOneHistory();
    expect(several.running[1]!.results.some(({ included }) => included.length > 0)).toBe(true);
    await several.until(() => several.running[1]!.core.attestor.hasRewardCert(0));
  }, 60_000);

  test("stand still without a quorum, and go on when it is there again", async () => {
    await Promise.all([0, 1, 2, 3].map((position) => several.start(position)));
    await allReach(2);
    several.isLinked = (a, b) => a < 2 === b < 2;
    const before = several.standstills;
    await several.until(() => several.standstills >= before + 12);
    const stood = Math.max(...[0, 1, 2, 3].map(newestOf));
    several.isLinked = () => true;
    await allReach(stood + 5);
    expectOneHistory();
  }, 60_000);

  test("all end at once and go on with what they had signed", async () => {
    await Promise.all([0, 1, 2, 3].map((position) => several.start(position)));
    await allReach(4);
    const reached = Math.min(...[0, 1, 2, 3].map(newestOf));
    await Promise.all(several.running.map((each) => each!.end()));
    await Promise.all([0, 1, 2, 3].map((position) => several.start(position)));
    await allReach(reached + 5);
    expectOneHistory();
  }, 60_000);
});
