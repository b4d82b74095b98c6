/** Four validators over real homes: one history, whoever is lost or comes back. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import { checkRewardCert } from "../../../protocol/src/agreement/attest.ts";
import { encodeTips } from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { encodeParcel } from "../../../protocol/src/wire/envelope.ts";
import { contextOf, signBody, signReports } from "./support/network.ts";
import { createGenesisOf, digestsOf, SeveralValidators, validatorKey } from "./support/severalValidators.ts";

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
  });

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
  });

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
  });

  test("restored from a backup, one signs nothing that it may have signed before, then goes on", async () => {
    const context = contextOf(several.genesis);
    await Promise.all([0, 1, 2, 3].map((position) => several.start(position)));
    await allReach(3);
    await several.running[3]!.end();
    const restore = several.backUp(3);
    await several.start(3);
    const newest = () => Math.max(...[0, 1, 2].map(newestOf));
    const submit = async (salt: number) => {
      const epoch = Math.floor((newestOf(3) + 1) / context.parameters.roundsPerEpoch);
      const parcel = encodeParcel([signReports(context, 3, epoch, salt)]);
      const [item] = await several.running[3]!.core.intake.submit("peer", parcel);
      expect(item!.reason).toBeNull();
      return encodeHex(item!.id);
    };
    const isIncluded = (id: string) =>
      several.running[0]!.results.some(({ included }) => included.map(encodeHex).includes(id));
    // Votes and batches that the backup knows nothing of.
    await allReach(newest() + 3);
    const first = await submit(1);
    await several.until(() => isIncluded(first));
    await allReach(newest() + 3);
    await several.running[3]!.end();
    restore();
    const from = newest();
    const again = await several.start(3);
    await several.until(() => again.restored() === 1);
    expect(again.core.guard.describe()).toMatch(/votes are older/);
    // The others go on without it, and it is among them again some rounds later.
    await several.until(() => again.core.guard.describe() === null);
    expect(again.core.agreement.newestRound()).toBeGreaterThan(from);
    const second = await submit(2);
    await several.until(() => isIncluded(second));
    await several.until(() => !again.core.agreement.describe().isFollowing);
    await allReach(newest() + 5);
    expectOneHistory();
    expect(again.failures).toEqual([]);
  });

  // After two rounds nobody holds the tips any more that it sent last.
  test.each([0, 4])(
    "one that lost its home %i rounds ago finds by the rounds that it took part in them",
    async (away) => {
      await Promise.all([0, 1, 2, 3].map((position) => several.start(position)));
      await allReach(6);
      await several.running[2]!.end();
      await allReach(Math.max(...[0, 1, 3].map(newestOf)) + away, [0, 1, 3]);
      several.empty(2);
      const found = await several.start(2);
      await several.until(() => found.restored() === 1);
      // Found once, it is remembered: after a restart nobody need show it.
      several.isLinked = (a, b) => a !== 2 && b !== 2;
      await found.end();
      const again = await several.start(2);
      expect(again.restored()).toBe(1);
      several.isLinked = () => true;
      await several.until(() => again.core.guard.describe() === null);
      await allReach(Math.max(...[0, 1, 3].map(newestOf)) + 4);
      expectOneHistory();
      expect(again.failures).toEqual([]);
    },
  );

  test("one that signs two things loses its stake and its seat, and the others go on", async () => {
    const context = contextOf(several.genesis);
    const rogue = validatorKey(3);
    several.isDishonest = (key) => equalBytes(key, rogue.publicKey);
    const honest = [0, 1, 2];
    await Promise.all(honest.map((position) => several.start(position)));
    await allReach(2, honest);
    // Tips of the round that is decided next, of two different times.
    const round = several.running[0]!.core.agreement.newestRound() + 2;
    for (const timeMs of [1_700_000_000_000, 1_700_000_000_001]) {
      const executedDigest = new Uint8Array(32);
      const tips = { round, validator: rogue.publicKey, timeMs, tips: [], executedRound: 0, executedDigest };
      const signed = { tips, signature: signBody(context, rogue, "tips", encodeTips(tips)) };
      several.running[0]!.core.handlers.onMessage(encodeHex(rogue.publicKey), { type: "tips", signed });
    }
    await several.until(() =>
      honest.every((p) => several.running[p]!.results.some(({ evidence }) => evidence.length > 0)),
    );
    const [piece] = several.running[1]!.results.flatMap(({ evidence }) => evidence);
    expect(piece!.offender).toEqual(rogue.publicKey);
    expect(piece!.slashed).toBeGreaterThan(0n);
    const { round: slashedIn, epoch } = several.running[1]!.results.find(
      ({ evidence }) => evidence.length > 0,
    )!;
    await allReach((epoch + 2) * context.parameters.roundsPerEpoch + 2, honest);
    expectOneHistory();
    for (const position of honest) {
      const { results, core } = several.running[position]!;
      expect(results.filter(({ evidence }) => evidence.length > 0).map((each) => each.round)).toEqual([
        slashedIn,
      ]);
      expect(core.agreement.describe().isFollowing).toBe(false);
    }
    expect(several.running[0]!.evidence).toHaveLength(1);
    const closes = several.running[2]!.results.flatMap(({ epochClose }) => epochClose ?? []);
    const isSeated = (at: number) =>
      closes
        .find((close) => close.epoch === at)!
        .nextValidators.some((key) => equalBytes(key, rogue.publicKey));
    expect([isSeated(epoch), isSeated(epoch + 1)]).toEqual([false, false]);
  });

  test("all end at once and go on with what they had signed", async () => {
    await Promise.all([0, 1, 2, 3].map((position) => several.start(position)));
    await allReach(4);
    const reached = Math.min(...[0, 1, 2, 3].map(newestOf));
    await Promise.all(several.running.map((each) => each!.end()));
    await Promise.all([0, 1, 2, 3].map((position) => several.start(position)));
    await allReach(reached + 5);
    expectOneHistory();
  });
});
