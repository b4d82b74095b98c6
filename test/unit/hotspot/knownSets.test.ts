/** The validator sets that a hotspot knows: moved on by certificates alone, kept over restarts, asked for in time. */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import type { PeerRef } from "../../../node/src/host/types.ts";
import { type KnownSets, openKnownSets, VALIDATORS_FILE } from "../../../node/src/hotspot/knownSets.ts";
import { SetFollower } from "../../../node/src/hotspot/setFollower.ts";
import type { Checkpoint, SetStep } from "../../../protocol/src/agreement/rewardEvidence.ts";
import {
  decodeSetsAnswer,
  decodeSetsQuestion,
  encodeSetsAnswer,
  MAX_ANSWERED_ADDRESSES,
  MAX_ANSWERED_STEPS,
} from "../../../protocol/src/agreement/setAnswers.ts";
import { computeNetworkId } from "../../../protocol/src/network/genesis.ts";
import { ManualClock } from "../validator/support/manualClock.ts";
import { createTestGenesis, newKey } from "./fakeValidator.ts";
import { MadeSets } from "./madeSets.ts";

const KEYS = Array.from({ length: 40 }, newKey);
const genesis = createTestGenesis(KEYS.slice(0, 4), []);
/** A fifth joins in epoch 2; in 3 the first is replaced; from 10 to 30 a seat changes hands every epoch. */
const made = new MadeSets(genesis, (epoch) => {
  if (epoch < 2) return KEYS.slice(0, 4);
  if (epoch < 3) return KEYS.slice(0, 5);
  const replaced = Math.min(Math.max(0, epoch - 9), 21);
  return KEYS.slice(1 + replaced, 6 + replaced);
});

let home: string;
let clock: ManualClock;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-sets-"));
  clock = new ManualClock(1_000);
});
afterEach(async () => {
  for (const sets of opened.splice(0)) await sets.stop();
});

const opened: KnownSets[] = [];
async function open(trusted: Checkpoint | null = null, folder = home): Promise<KnownSets> {
  const sets = await openKnownSets({ home: folder, genesis, trusted }, { clock, log: createSilentLog() });
  opened.push(sets);
  return sets;
}
const addressOf = (i: number) => ({ validator: KEYS[i]!.publicKey, multiaddr: `/ip4/10.0.0.${i}/tcp/1` });
const takeSteps = (sets: KnownSets, ...steps: SetStep[]) => sets.take({ steps, addresses: [] });
const checkpointOf = (epoch: number): Checkpoint => ({
  networkId: computeNetworkId(genesis),
  epoch,
  validators: made.keysOf(epoch),
  nextValidators: made.keysOf(epoch + 1),
});

describe("known validator sets", () => {
  test("begin with genesis's in the first two epochs, and say nothing of others", async () => {
    const sets = await open();
    expect([-1, 0, 1, 2].map((epoch) => sets.setOf(epoch)?.keys ?? null)).toEqual([
      ...[null, made.keysOf(0), made.keysOf(1), null],
    ]);
    expect(sets.isMember(KEYS[0]!.publicKey)).toBe(true);
    expect(sets.isMember(KEYS[4]!.publicKey)).toBe(false);
  });

  test("go on epoch by epoch, over who joins and who is replaced", async () => {
    const sets = await open();
    let changes = 0;
    sets.onChange(() => changes++);
    for (let epoch = 0; epoch < 12; epoch++) {
      expect(takeSteps(sets, made.stepOf(epoch))).toBe("advanced");
      expect(sets.setOf(epoch)).toBeNull();
      expect([epoch + 1, epoch + 2].map((each) => sets.setOf(each)!.keys)).toEqual([
        ...[made.keysOf(epoch + 1), made.keysOf(epoch + 2)],
      ]);
    }
    expect(changes).toBe(12);
    expect(sets.isMember(KEYS[0]!.publicKey)).toBe(false);
  });

  test("reach any epoch from any other by what a validator answers", async () => {
    for (const [pinned, closed] of [
      ...[0, 1, 5, 12].map((from) => [from, from + 1] as const),
      ...([
        [0, 2],
        [0, 3],
        [2, 3],
        [0, 60],
        [5, 60],
        [29, 60],
        [31, 60],
      ] as const),
    ]) {
      const sets = await open(checkpointOf(pinned), await mkdtemp(join(home, "case-")));
      let answers = 0;
      for (;;) {
        const { steps } = await made.decodedAnswer(sets.epoch, closed);
        expect(steps.length).toBeLessThanOrEqual(MAX_ANSWERED_STEPS);
        answers++;
        if (takeSteps(sets, ...steps) === "unchanged" || steps.length < MAX_ANSWERED_STEPS) break;
      }
      expect(sets.epoch).toBe(closed + 1);
      expect([closed + 1, closed + 2].map((epoch) => sets.setOf(epoch)!.keys)).toEqual([
        ...[made.keysOf(closed + 1), made.keysOf(closed + 2)],
      ]);
      // Changes in 21 epochs, seven or eight an answer.
      expect(answers).toBeLessThanOrEqual(4);
    }
  });

  test("do not begin anew where only one of two sets is attested", async () => {
    const sets = await open(checkpointOf(4));
    // The steps of epochs 5 and 6 are withheld: whether the set of 7 and 8 is still the same, nobody has said.
    expect(takeSteps(sets, made.stepOf(7))).toBe("unchanged");
    expect(takeSteps(sets, made.stepOf(4), made.stepOf(7))).toBe("advanced");
    expect(sets.epoch).toBe(5);
    expect(takeSteps(sets, made.stepOf(6), made.stepOf(7))).toBe("advanced");
    expect(sets.epoch).toBe(8);
  });

  test("take nothing that is forged, replayed or of another network", async () => {
    const sets = await open(checkpointOf(4));
    const { certificate, validators } = made.stepOf(4);
    const strangers = KEYS.slice(30, 35);
    const keys = strangers.map(({ publicKey }) => publicKey);
    const forged = new MadeSets(genesis, () => strangers);
    const lies: readonly (readonly [string, SetStep])[] = [
      ["step_validators_mismatch", { certificate, validators: keys }],
      ["step_certificate_invalid", forged.stepOf(4)],
      [
        "step_certificate_invalid",
        {
          validators,
          certificate: made.certify(certificate.attest, made.seatsOf(4).slice(0, 3)),
        },
      ],
      [
        "parameters_mismatch",
        {
          validators,
          certificate: made.certify(made.attestOf(4, { parametersHash: new Uint8Array(32) })),
        },
      ],
      ["rules_unknown", { validators, certificate: made.certify(made.attestOf(4, { rulesVersion: 99 })) }],
      ["step_certificate_invalid", new MadeSets({ ...genesis, name: "another" }, made.seatsOf).stepOf(4)],
    ];
    for (const [reason, lie] of lies) expect([reason, takeSteps(sets, lie)]).toEqual([reason, reason]);
    expect(takeSteps(sets, made.stepOf(5), made.stepOf(4))).toBe("step_order");
    // Old changes are behind it, whoever signed them.
    expect(takeSteps(sets, made.stepOf(0), made.stepOf(1))).toBe("unchanged");
    expect(takeSteps(sets, forged.stepOf(1))).toBe("unchanged");
    // Who had all of genesis's keys later has no say about the sets after.
    const bought = new MadeSets(genesis, () => KEYS.slice(0, 4));
    expect(takeSteps(sets, bought.stepOf(4))).toBe("step_certificate_invalid");
    expect(sets.epoch).toBe(4);
  });

  test("are there again after a restart, and where a newer checkpoint is given from that on", async () => {
    const sets = await open();
    sets.take(await made.decodedAnswer(0, 7));
    const address = { validator: KEYS[5]!.publicKey, multiaddr: "/ip4/10.0.0.5/tcp/1" };
    const former = { validator: KEYS[0]!.publicKey, multiaddr: "/ip4/10.0.0.1/tcp/1" };
    sets.take({ steps: [], addresses: [address, former] });
    await sets.stop();
    const again = await open();
    expect(again.epoch).toBe(8);
    expect(again.setOf(9)!.keys).toEqual(made.keysOf(9));
    // Of members alone: the first has left.
    expect(again.addresses()).toEqual([address]);
    expect((await open(checkpointOf(3))).epoch).toBe(8);
    expect((await open(checkpointOf(20))).setOf(21)!.keys).toEqual(made.keysOf(21));
  });

  test("prove the rewards of the epoch before the newest sets, over restarts too", async () => {
    const sets = await open();
    expect(sets.rewardAnchor.checkpoint.epoch).toBe(0);
    sets.take(await made.decodedAnswer(0, 7));
    takeSteps(sets, made.stepOf(8));
    // The certificate of epoch 8 led to epoch 9: its own rewards are proven by its own set, and by the one before.
    expect([sets.epoch, sets.rewardAnchor.checkpoint]).toEqual([9, checkpointOf(8)]);
    await sets.stop();
    expect((await open()).rewardAnchor.checkpoint).toEqual(checkpointOf(8));
    expect((await open(checkpointOf(20))).rewardAnchor.checkpoint.epoch).toBe(20);
    const file = join(home, VALIDATORS_FILE);
    const { former, ...earlier } = JSON.parse(await readFile(file, "utf8"));
    expect(former.epoch).toBe(8);
    await writeFile(file, JSON.stringify(earlier));
    expect((await open()).rewardAnchor.checkpoint.epoch).toBe(9);
  });

  test("are written when the set changes, once an hour otherwise, and at the end", async () => {
    const sets = await open();
    const writtenEpoch = async () =>
      JSON.parse(await readFile(join(home, VALIDATORS_FILE), "utf8")).checkpoint.epoch;
    takeSteps(sets, made.stepOf(0));
    await expect.poll(writtenEpoch).toBe(1);
    takeSteps(sets, made.stepOf(1));
    await expect.poll(writtenEpoch).toBe(2);
    for (const epoch of [2, 3, 4]) takeSteps(sets, made.stepOf(epoch));
    clock.advance(3_600_000);
    takeSteps(sets, made.stepOf(5));
    await expect.poll(writtenEpoch).toBe(6);
    takeSteps(sets, made.stepOf(6));
    await sets.stop();
    expect(await writtenEpoch()).toBe(7);
  });

  test("of a damaged file, or another network's, are as good as absent", async () => {
    const sets = await open();
    takeSteps(sets, made.stepOf(0));
    await sets.stop();
    const file = join(home, VALIDATORS_FILE);
    const text = await readFile(file, "utf8");
    const other = { ...JSON.parse(text), checkpoint: { ...JSON.parse(text).checkpoint, epoch: -3 } };
    const foreign = text.replace(/0x[0-9a-f]{64}/, `0x${"7".repeat(64)}`);
    for (const damaged of ["", "{", "null", "[]", text.slice(0, 200), JSON.stringify(other), foreign]) {
      await writeFile(file, damaged);
      expect((await open()).epoch).toBe(0);
    }
    await writeFile(file, JSON.stringify({ ...JSON.parse(text), addresses: [7, null, { validator: 1 }] }));
    expect((await open()).addresses()).toEqual([]);
  });

  test("remember the addresses that worked, whatever is said later", async () => {
    const sets = await open();
    sets.take({ steps: [], addresses: [addressOf(0), addressOf(1)] });
    sets.noteReached(addressOf(1));
    sets.take({ steps: [], addresses: [addressOf(2)] });
    expect(sets.addresses()).toEqual([addressOf(1), addressOf(2)]);
    for (let port = 1; port < 100; port++)
      sets.noteReached({ ...addressOf(3), multiaddr: `/ip4/10.0.0.3/tcp/${port}` });
    expect(sets.addresses().length).toBeLessThan(10);
  });

  test("remember after a restart which addresses worked, and forget what was only said", async () => {
    const worked = [1, 2].map((i) => addressOf(i));
    const sets = await open();
    sets.take({ steps: [], addresses: [addressOf(0), addressOf(3)] });
    for (const address of worked.toReversed()) sets.noteReached(address);
    expect(sets.addresses()).toEqual([...worked, addressOf(0), addressOf(3)]);
    await sets.stop();
    const again = await open();
    expect(again.addresses()).toEqual(sets.addresses());
    // The first validator's word, which may be a lie about every member.
    const said = [0, 1, 2, 3].map((i) => ({ ...addressOf(i), multiaddr: `/ip4/10.6.6.6/tcp/${i}` }));
    again.take({ steps: [], addresses: said });
    expect(again.addresses()).toEqual([...worked, ...said]);
  });

  test("read a file from before what worked was kept apart as what was said", async () => {
    const sets = await open();
    sets.noteReached(addressOf(1));
    await sets.stop();
    const file = join(home, VALIDATORS_FILE);
    const { checkpoint, reached } = JSON.parse(await readFile(file, "utf8"));
    await writeFile(file, JSON.stringify({ checkpoint, addresses: reached }));
    const again = await open();
    expect(again.addresses()).toEqual([addressOf(1)]);
    again.take({ steps: [], addresses: [] });
    expect(again.addresses()).toEqual([]);
  });
});

describe("an answer about validator sets", () => {
  test("is empty where there is nothing newer, and none where the asker is ahead", async () => {
    expect((await made.decodedAnswer(6, 5)).steps).toEqual([]);
    expect(await made.answer(9, 5)).toBeNull();
    expect(await made.answer(2 ** 50, 5)).toBeNull();
  });

  test("is none where a certificate on the way is missing, and goes up to the newest that there is", async () => {
    const joined = new MadeSets(genesis, made.seatsOf);
    joined.isMissing = (epoch) => epoch < 3;
    expect(await joined.answer(0, 7)).toBeNull();
    expect((await joined.decodedAnswer(5, 7)).steps).toHaveLength(2);
    joined.isMissing = (epoch) => epoch === 7;
    expect((await joined.decodedAnswer(5, 7)).steps.at(-1)!.certificate.attest.epoch).toBe(6);
  });

  test("names addresses of members, others to each asker, and no more than fit", async () => {
    const named = new MadeSets(genesis, () => KEYS.slice(0, 20));
    named.multiaddrsOf = (key) => [
      `/ip4/10.0.0.1/tcp/${KEYS.findIndex(({ publicKey }) => publicKey === key)}`,
      `/dns4/${"x".repeat(200)}/tcp/1`,
    ];
    const ports = async (turn: number) =>
      decodeSetsAnswer((await named.answer(0, 3, turn))!)!.addresses.map(({ multiaddr }) =>
        Number(multiaddr.split("/").at(-1)),
      );
    expect(await ports(0)).toEqual(Array.from({ length: MAX_ANSWERED_ADDRESSES }, (_, i) => i));
    expect((await ports(39))[0]).toBe(19);
    expect((await ports(255))[0]).toBe(15);
  });

  test("may be any bytes, and is refused without a fault, or proves the same", async () => {
    const truth = (await made.answer(0, 7))!;
    const sets = await open();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const answer = decodeSetsAnswer(bytes);
        if (answer !== null) expect(sets.take(answer)).toBe("unchanged");
        expect(decodeSetsQuestion(bytes) === null).toBe(
          bytes.length !== 8 || bytes[7]! > 0 || bytes[6]! > 31,
        );
      }),
    );
    fc.assert(
      fc.property(fc.nat(truth.length - 1), fc.nat(7), (at, bit) => {
        const changed = truth.slice();
        changed[at]! ^= 1 << bit;
        const answer = decodeSetsAnswer(changed);
        if (answer !== null) expect(sets.take(answer)).not.toBe("advanced");
      }),
      { numRuns: 300 },
    );
    expect(sets.take(decodeSetsAnswer(truth)!)).toBe("advanced");
  });
});

describe("following the validator sets", () => {
  const peers: PeerRef[] = ["a", "b", "c"].map((peerId) => ({ peerId, publicKey: null }));
  type Answer = (pinned: number) => Promise<Uint8Array | null>;

  async function follow(answers: Readonly<Record<string, Answer>>, fraction = 0) {
    const sets = await open();
    const asked: { readonly peer: string; readonly pinned: number }[] = [];
    const follower = new SetFollower(genesis.parameters, {
      sets,
      clock,
      log: createSilentLog(),
      random: () => new Uint8Array(4).fill(255 * fraction),
      network: {
        request: async (peer, _, question) => {
          const pinned = decodeSetsQuestion(question)!;
          asked.push({ peer, pinned });
          const answer = (await answers[peer]?.(pinned)) ?? null;
          if (answer === null) throw new CodedError("request_refused", "no answer");
          return answer;
        },
      },
    });
    const connected = peers.filter(({ peerId }) => peerId in answers);
    follower.start({ connected: () => connected }, new AbortController().signal);
    const settle = () => follower.ask({ peerId: "nobody", publicKey: null });
    return { sets, follower, asked, settle };
  }
  const honest: Answer = (pinned) => made.answer(pinned, 40);
  const nothing: Answer = async () => null;

  test("asks at once for a set that a round needs, in as many parts as it takes", async () => {
    const { sets, follower, asked, settle } = await follow({ a: honest });
    follower.want(41);
    follower.want(41);
    await settle();
    expect(sets.epoch).toBe(41);
    expect(asked.filter(({ peer }) => peer === "a").length).toBeLessThanOrEqual(4);
  });

  test("asks for nothing that is known, and in each epoch for the next one's", async () => {
    const { roundsPerEpoch } = genesis.parameters;
    const { sets, follower, asked, settle } = await follow({ a: (pinned) => made.answer(pinned, 0) }, 1);
    for (const epoch of [0, 1]) follower.want(epoch);
    follower.onRound(0);
    follower.onRound(roundsPerEpoch - 1);
    expect(asked).toEqual([]);
    // In epoch 1 the certificate of epoch 0 is there, and is asked for somewhere in the first half.
    follower.onRound(roundsPerEpoch);
    expect(asked).toEqual([]);
    follower.onRound(roundsPerEpoch + roundsPerEpoch / 2);
    await settle();
    expect(asked[0]).toEqual({ peer: "a", pinned: 0 });
    expect(sets.setOf(2)!.keys).toEqual(made.keysOf(2));
  });

  test("asks one after the other, ever more rarely, where nobody serves it", async () => {
    const { sets, follower, asked, settle } = await follow({
      a: nothing,
      b: async () => encodeSetsAnswer({ steps: [], addresses: [] }),
      c: async () => new Uint8Array(5),
    });
    for (let second = 0; second < 600; second++) {
      follower.want(5);
      await settle();
      clock.advance(1_000);
    }
    expect(sets.epoch).toBe(0);
    const questions = asked.filter(({ peer }) => peer !== "nobody");
    expect(new Set(questions.map(({ peer }) => peer)).size).toBe(3);
    expect(questions.length).toBeLessThan(60);
  });

  test("goes on with the next where one lies, and is not led astray by a liar's addresses", async () => {
    const strangers = new MadeSets(genesis, () => KEYS.slice(30, 34));
    strangers.multiaddrsOf = () => ["/ip4/10.6.6.6/tcp/1"];
    const { sets, follower, settle } = await follow({
      a: (pinned) => strangers.answer(pinned, 40),
      b: honest,
    });
    for (let tries = 0; tries < 2; tries++) {
      follower.want(41);
      await settle();
      // However the wall clock is set meanwhile.
      clock.set(-86_400_000);
      clock.advance(30_000);
    }
    expect(sets.epoch).toBe(41);
    expect(sets.addresses()).toEqual([]);
  });
});
