/** What a validator with a seat may send to others and must not achieve: everything but what is signed, and that too. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  decodePeerMessage,
  encodePeerMessage,
  PEER_MESSAGE_TYPES,
  type PeerMessage,
} from "../../../protocol/src/agreement/peerMessages.ts";
import {
  type AvailabilityCert,
  encodeAckBody,
  encodeBitmap,
  encodeTips,
} from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createSigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import { sign } from "../../../protocol/src/crypto/ed25519.ts";
import { encodeParcel } from "../../../protocol/src/wire/envelope.ts";
import { Prng } from "../../sim/prng.ts";
import { contextOf, keyNamed, signBody, signReports } from "./support/network.ts";
import { createGenesisOf, digestsOf, SeveralValidators, validatorKey } from "./support/severalValidators.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const HONEST = [0, 1, 2];
const ROGUE = validatorKey(3);
const ROGUE_NAME = encodeHex(ROGUE.publicKey);
const NO_SIGNATURE = new Uint8Array(64);
/** Messages of each kind that the rogue keeps of the honest, to change and repeat. */
const KEPT_OF_A_KIND = 40;

describe("three honest validators and one that sends whatever it likes", () => {
  let several: SeveralValidators;
  let heard: Uint8Array[];
  beforeEach(async () => {
    several = new SeveralValidators(createGenesisOf(4, 4));
    heard = [];
    const kept = new Map<number, number>();
    several.tap = (bytes) => {
      const count = kept.get(bytes[0]!) ?? 0;
      if (count >= KEPT_OF_A_KIND) return;
      kept.set(bytes[0]!, count + 1);
      heard.push(bytes.slice());
    };
    await Promise.all(HONEST.map((position) => several.start(position)));
    const context = contextOf(several.genesis);
    await reach(1);
    await several.running[0]!.core.intake.submit("peer", encodeParcel([signReports(context, 0, 0, 1)]));
  });
  afterEach(() => several.end());

  const newestOf = (position: number) => several.running[position]!.results.at(-1)?.round ?? -1;
  const reach = (round: number) =>
    several.until(() => HONEST.every((position) => newestOf(position) >= round));
  const nextRound = () => several.running[0]!.core.agreement.newestRound() + 1;

  /** Over the wire's form, as the mesh would hand it on. @returns whether it decoded. */
  function say(bytes: Uint8Array): boolean {
    const message = decodePeerMessage(bytes, 4);
    if (message === null) return false;
    for (const position of HONEST) several.running[position]!.core.handlers.onMessage(ROGUE_NAME, message);
    return true;
  }
  const saySigned = (message: PeerMessage) => expect(say(encodePeerMessage(message, 4))).toBe(true);

  /** Rounds go on, with one history, nobody stopped, and nobody honest accused (the harness fails on that). */
  async function expectUnharmed(): Promise<void> {
    await reach(Math.max(...HONEST.map(newestOf)) + 4);
    const [first, ...rest] = HONEST.map((position) => digestsOf(several.running[position]!));
    for (const history of rest)
      for (const [round, digest] of history) expect(first!.get(round) ?? digest).toBe(digest);
    for (const position of HONEST) {
      expect(several.running[position]!.failures).toEqual([]);
      expect(several.running[position]!.evidence).toEqual([]);
      expect(several.running[position]!.core.guard.describe()).toBeNull();
    }
  }

  /** A certificate of a batch of the rogue's whose last signature is not valid. */
  function forgeCert(): AvailabilityCert {
    const context = contextOf(several.genesis);
    const ack = { lane: ROGUE.publicKey, seq: 1, digest: new Uint8Array(32), epoch: 0 };
    const signatures = [0, 1, 2].map((position) =>
      signBody(context, validatorKey(position), "ack", encodeAckBody(ack)),
    );
    return {
      ...ack,
      bitmap: encodeBitmap([0, 1, 2], 4),
      signatures: [...signatures.slice(0, 2), NO_SIGNATURE],
    };
  }

  test("a signature that is not valid lets its sender pay for all that was verified, also when a round begins", async () => {
    const { handlers } = several.running[0]!.core;
    const root = new Uint8Array(32);
    const attest = {
      epoch: 0,
      rewardRoot: root,
      stateRoot: root,
      nextValidatorsHash: root,
      parametersHash: root,
      rulesVersion: 1,
    };
    const evidence = {
      offender: validatorKey(1).publicKey,
      kind: 0,
      first: new Uint8Array(96),
      second: new Uint8Array(96),
    };
    const tips = {
      round: nextRound() + 1,
      validator: ROGUE.publicKey,
      timeMs: 0,
      tips: [],
      executedRound: 0,
      executedDigest: root,
    };
    const signature = NO_SIGNATURE;
    const said: readonly PeerMessage[] = [
      { type: "status", status: { round: 0, view: 0, rounds: 0 } },
      { type: "attest", signed: { attest, validator: 3, signature } },
      { type: "evidence", evidence },
      { type: "availability", cert: forgeCert() },
      { type: "tips", signed: { tips, signature } },
    ];
    for (const message of said) handlers.onMessage(ROGUE_NAME, message);
    await several.until(() => several.charged.length >= 4);
    expect(several.charged).toEqual([1, 1, 3, 1].map((verifications) => [ROGUE_NAME, verifications]));
  });

  test("changed, cut, doubled and repeated messages of every kind do nothing", async () => {
    await reach(12);
    await several.until(() =>
      HONEST.every((position) => several.running[position]!.core.attestor.hasRewardCert(0)),
    );
    const kinds = new Set(heard.map((bytes) => decodePeerMessage(bytes, 4)!.type));
    // Nobody stands still or contradicts itself here.
    const never = ["status", "evidence"];
    expect(PEER_MESSAGE_TYPES.filter((type) => !kinds.has(type) && !never.includes(type))).toEqual([]);
    const prng = new Prng(7);
    const counts = { decoded: 0, refused: 0 };
    const tell = (bytes: Uint8Array) => (say(bytes) ? counts.decoded++ : counts.refused++);
    for (let turn = 0; turn < 4; turn++) {
      for (const bytes of heard) {
        tell(bytes);
        const flipped = bytes.slice();
        flipped[prng.below(bytes.length)]! ^= 1 << prng.below(8);
        tell(flipped);
        tell(bytes.subarray(0, prng.below(bytes.length)));
        tell(Buffer.concat([bytes, bytes.subarray(0, 1 + prng.below(64))]));
      }
      await reach(Math.max(...HONEST.map(newestOf)) + 1);
    }
    for (let turn = 0; turn < 500; turn++) tell(prng.bytes(prng.below(300)));
    expect(counts.refused).toBeGreaterThan(1_000);
    expect(counts.decoded).toBeGreaterThan(1_000);
    await expectUnharmed();
  });

  test("words for another network, by a stranger, for rounds and epochs far away do nothing", async () => {
    const context = contextOf(several.genesis);
    const elsewhere = createSigningDomains(new Uint8Array(32).fill(9));
    const stranger = keyNamed("stranger");
    const signature = new Uint8Array(64).fill(1);
    const digest = new Uint8Array(32).fill(3);
    const tipsAt = (round: number, signer = ROGUE) => ({
      ...{ round, validator: signer.publicKey, timeMs: Date.now(), tips: [] },
      ...{ executedRound: Math.max(0, round - 1), executedDigest: digest },
    });
    const signTips = (round: number, signer = ROGUE) => {
      const tips = tipsAt(round, signer);
      return { tips, signature: signBody(context, signer, "tips", encodeTips(tips)) };
    };
    for (let turn = 0; turn < 10; turn++) {
      const round = nextRound();
      const tips = tipsAt(round);
      const foreign = {
        tips,
        signature: sign(ROGUE.secretSeed, signingMessage(elsewhere, "tips", encodeTips(tips))),
      };
      saySigned({ type: "tips", signed: foreign });
      saySigned({ type: "tips", signed: signTips(round, stranger) });
      for (const far of [0, round + 1, round + 2, round + 1_000, 2 ** 50]) {
        saySigned({ type: "tips", signed: signTips(far) });
        saySigned({
          type: "vote",
          round: far,
          vote: { kind: "nullify", view: 1_000_000, value: null, validator: 3, signature },
        });
        saySigned({ type: "status", status: { round: far, view: 1, rounds: far } });
        saySigned({
          type: "ack",
          ack: { ack: { lane: digest, seq: far, digest, epoch: far }, validator: 3, signature },
        });
        const attest = {
          epoch: far,
          rewardRoot: digest,
          stateRoot: digest,
          nextValidatorsHash: digest,
          parametersHash: digest,
          rulesVersion: 1,
        };
        saySigned({ type: "attest", signed: { attest, validator: 3, signature } });
        saySigned({
          type: "rewardCert",
          cert: { attest, bitmap: Uint8Array.of(15), signatures: Array(4).fill(signature) },
        });
        saySigned({
          type: "availability",
          cert: {
            lane: ROGUE.publicKey,
            seq: far,
            digest,
            epoch: 0,
            bitmap: Uint8Array.of(7),
            signatures: Array(3).fill(signature),
          },
        });
        saySigned({ type: "batch", signed: { epoch: far, batch: new Uint8Array(1_000), signature } });
      }
      await reach(Math.max(...HONEST.map(newestOf)) + 1);
    }
    await expectUnharmed();
  });

  test("a flood of what is well formed costs time and no memory", async () => {
    const value = encodeHex(new Uint8Array(32).fill(5));
    const signature = new Uint8Array(64).fill(2);
    const flood = (messages: number) => {
      for (let view = 1; view <= messages; view++) {
        const round = nextRound() + (view % 3);
        saySigned({
          type: "vote",
          round,
          vote: { kind: "notarize", view: view % 40, value, validator: view % 4, signature },
        });
        const proposal = {
          kind: "propose",
          view: view % 40,
          parent: 0,
          value,
          validator: 3,
          signature,
          justification: [],
        } as const;
        saySigned({ type: "proposal", round, proposal, value: new Uint8Array(2_000) });
      }
    };
    flood(2_000);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let turn = 0; turn < 5; turn++) {
      flood(2_000);
      await reach(Math.max(...HONEST.map(newestOf)) + 1);
    }
    collectGarbage();
    // 20,000 messages with 20 MB of values in them, and nothing of that stays.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1_048_576);
    await expectUnharmed();
  });
});
