/** Rounds of a set of one: the same signed messages as anyone's, and no round voted on twice. */
import { describe, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import { checkFinalCert, fixedSets } from "../../../protocol/src/agreement/certificates.ts";
import { type AvailabilityCert, computeValueDigest } from "../../../protocol/src/agreement/rounds.ts";
import { checkValue } from "../../../protocol/src/agreement/valueRules.ts";
import { decodeDecided, type Executed, type Finalized } from "../../../validator/src/rounds/agreement.ts";
import { createSoloAgreement } from "../../../validator/src/rounds/soloAgreement.ts";
import { openVotes, type Votes } from "../../../validator/src/rounds/votes.ts";
import { createSigner } from "../../../validator/src/signer.ts";
import { ManualClock } from "./support/manualClock.ts";
import { contextOf, createTestGenesis, VALIDATOR } from "./support/network.ts";

const GENESIS_MS = 1_700_000_000_000;
const context = contextOf(createTestGenesis(1, GENESIS_MS));
const { roundMs, execLagRounds } = context.parameters;

function openAgreement(
  change: { votes?: Votes; last?: Finalized; laneTip?: () => AvailabilityCert | null; startMs?: number } = {},
) {
  const clock = new ManualClock(change.startMs ?? GENESIS_MS - 1_000);
  const votes =
    change.votes ?? openVotes(":memory:", { network: context.networkId, validator: VALIDATOR.publicKey });
  const finalized: Finalized[] = [];
  const failures: Error[] = [];
  let executed: Executed | null = null;
  const agreement = createSoloAgreement(
    {
      parameters: context.parameters,
      domains: context.domains,
      set: context.set,
      genesisTimeMs: GENESIS_MS,
      last: change.last ?? null,
    },
    {
      clock,
      votes,
      signer: createSigner(context.domains, VALIDATOR.secretSeed),
      verify: verifySignature,
      laneTip: change.laneTip ?? (() => null),
      executed: () => executed,
      onFinalized: (round) => {
        finalized.push(round);
        executed = { round: round.round, digest: new Uint8Array(32).fill(round.round) };
      },
      onFailure: (error) => failures.push(error),
    },
  );
  const stall = () => {
    executed = null;
  };
  return { agreement, clock, votes, finalized, failures, stall };
}

describe("agreement of one", () => {
  test("begins at genesis's time and decides a round every ROUND_MS", () => {
    const { agreement, clock, finalized } = openAgreement();
    agreement.start();
    clock.advance(999);
    expect(finalized).toHaveLength(0);
    clock.advance(1);
    expect(finalized.map(({ round }) => round)).toEqual([0]);
    clock.advance(roundMs * 5);
    expect(finalized.map(({ round }) => round)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(finalized.map(({ value }) => value.tips[0]!.tips.timeMs - GENESIS_MS)).toEqual(
      [0, 1, 2, 3, 4, 5].map((round) => round * roundMs),
    );
  });

  test("makes values and certificates that are valid by everyone's rules", () => {
    const { agreement, clock, finalized } = openAgreement();
    agreement.start();
    clock.advance(1_000 + roundMs * 3);
    let previous: { cut: AvailabilityCert[]; value: Uint8Array } | null = null;
    for (const { round, value, valueBytes, cert } of finalized) {
      const { parameters, set, domains } = context;
      expect(
        checkValue(value, { round, parameters, sets: fixedSets(set), domains, verify: verifySignature, previous }),
      ).toBeNull();
      expect(checkFinalCert(cert, set, domains, verifySignature)).toBeNull();
      expect(cert.value).toEqual(computeValueDigest(valueBytes));
      previous = { cut: value.cut, value: cert.value };
    }
  });

  test("does not make up for missed time with a burst", () => {
    const { agreement, clock, finalized } = openAgreement();
    agreement.start();
    clock.advance(1_000);
    clock.jump(GENESIS_MS + roundMs * 50);
    expect(finalized).toHaveLength(2);
    clock.advance(roundMs - 1);
    expect(finalized).toHaveLength(2);
    clock.advance(1);
    expect(finalized).toHaveLength(3);
  });

  test("waits for execution that lags too far behind", () => {
    const { agreement, clock, finalized, stall } = openAgreement();
    agreement.start();
    clock.advance(1_000);
    for (let i = 0; i < execLagRounds + 20; i++) {
      stall();
      clock.advance(roundMs);
    }
    expect(finalized).toHaveLength(execLagRounds + 1);
  });

  test("goes on after a restart with the round after the last decided one", () => {
    const first = openAgreement();
    first.agreement.start();
    first.clock.advance(1_000 + roundMs * 2);
    first.agreement.stop();
    const kept = first.votes.decidedFrom(0).map(decodeDecided);
    expect(kept.map((round) => round?.certBytes)).toEqual(first.finalized.map(({ certBytes }) => certBytes));
    const second = openAgreement({ votes: first.votes, last: kept.at(-1)!, startMs: first.clock.nowMs() });
    second.agreement.start();
    // The last round's tips are ROUND_MS old first, as if nothing had happened in between.
    second.clock.advance(roundMs - 1);
    expect(second.finalized).toHaveLength(0);
    second.clock.advance(1);
    expect(second.finalized[0]?.round).toBe(3);
    expect(second.finalized[0]?.value.previousFinal[0]).toEqual(kept.at(-1)!.cert);
  });

  test("stops rather than vote twice on a round", () => {
    const first = openAgreement();
    first.agreement.start();
    first.clock.advance(1_000);
    // A restart that has forgotten round 0, at another time: its value would be another.
    const second = openAgreement({ votes: first.votes, startMs: GENESIS_MS + 5 });
    second.agreement.start();
    second.clock.advance(roundMs * 3);
    expect(second.finalized).toHaveLength(0);
    expect(second.failures).toMatchObject([{ code: "votes_conflict" }]);
    expect(second.clock.timers).toBe(0);
  });
});
