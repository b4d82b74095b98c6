/** A validator that joins from a checkpoint, gets a seat by its stake and votes; one that leaves; and wrong states. */
import { existsSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makePrivateFolder } from "../../../node/src/host/durableFile.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { decodeFetch, encodeFetch, type Fetch } from "../../../protocol/src/agreement/fetches.ts";
import { decodeBitmap, decodeValue } from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { epochOfRound, firstRoundOfEpoch } from "../../../protocol/src/network/parameters.ts";
import { encodeMembership, membershipOf } from "../../../protocol/src/wire/consents.ts";
import { encodeParcel } from "../../../protocol/src/wire/envelope.ts";
import type { Transaction } from "../../../protocol/src/wire/transactions.ts";
import { replayEpochs } from "../../../validator/src/execution/replay.ts";
import { homePaths } from "../../../validator/src/home.ts";
import { createIdentity } from "../../../validator/src/identity.ts";
import { type Checkpoint, fetchCheckpoint, startHome } from "../../../validator/src/joining.ts";
import { LEDGER_MODULES } from "../../../validator/src/ledgerModules.ts";
import { openVotes } from "../../../validator/src/rounds/votes.ts";
import { openStorage } from "../../../validator/src/storage.ts";
import { contextOf, OWNER, signBody, signReports, signTransaction } from "./support/network.ts";
import { createGenesisOf, digestsOf, SeveralValidators, validatorKey } from "./support/severalValidators.ts";

const log = createSilentLog();
const pause = async () => {};
const JOINER = validatorKey(4);

describe("a validator that joins", () => {
  let several: SeveralValidators;
  beforeEach(async () => {
    // Short epochs: what is shown takes eight of them. In half the time messages would be of a past one on a busy machine.
    several = new SeveralValidators(createGenesisOf(4, 4, { roundMs: 200, roundsPerEpoch: 5 }));
    await Promise.all([0, 1, 2, 3].map((position) => several.start(position)));
  });
  afterEach(() => several.end());

  const newestOf = (position: number) => several.running[position]!.results.at(-1)?.round ?? -1;
  const allReach = (round: number, positions: readonly number[]) =>
    several.until(() => positions.every((position) => newestOf(position) >= round));
  /** Over the wire's own encoding. */
  const fetch = async (asked: Fetch) => {
    const question = decodeFetch(encodeFetch(asked))!;
    return await several.running[0]!.core.handlers.answer(question, encodeHex(JOINER.publicKey));
  };

  /** An epoch's state as a quorum attests it. */
  async function checkpointOf(epoch: number): Promise<Checkpoint> {
    await several.until(() => several.running[1]!.core.attestor.hasRewardCert(epoch));
    return { epoch, stateRoot: several.running[1]!.core.attestor.rewardCert(epoch)!.attest.stateRoot };
  }

  async function submit(to: number, envelope: Uint8Array): Promise<string> {
    const [item] = await several.running[to]!.core.intake.submit("peer", encodeParcel([envelope]));
    expect(item!.reason).toBeNull();
    return encodeHex(item!.id);
  }

  /** Whom a round's value names as having finalized the round before. */
  async function finalizersOf(round: number): Promise<string[]> {
    const row = await several.store(0).getRound(round);
    const [final] = decodeValue(row!.value)!.previousFinal;
    const close = several.running[0]!.results.find(
      ({ epochClose }) => epochClose?.epoch === epochOfRound(several.genesis.parameters, final!.round) - 2,
    );
    const keys = close?.epochClose?.nextValidators ?? several.genesis.validators.map(({ key }) => key);
    return decodeBitmap(final!.bitmap, keys.length)!.map((position) => encodeHex(keys[position]!));
  }

  test("follows, gets a seat two epochs after its stake, votes, and another leaves", async () => {
    const context = contextOf(several.genesis);
    const { parameters } = context;
    const { roundsPerEpoch } = parameters;
    // Reports that are open at the checkpoint get their verdicts after it.
    await allReach(roundsPerEpoch - 3, [0, 1, 2, 3]);
    await submit(0, signReports(context, 0, epochOfRound(parameters, newestOf(0) + 1), 1));
    const checkpoint = await checkpointOf(1);
    const identity = createIdentity(several.genesis, JOINER.secretSeed);
    const state = await fetchCheckpoint(checkpoint, identity, { fetch, pause, log });
    const joiner = several.add();
    await startHome(several.homeOf(joiner), identity, checkpoint, state);
    await expect(startHome(several.homeOf(joiner), identity, checkpoint, state)).rejects.toMatchObject({
      code: "home_exists",
    });
    const joined = await several.start(joiner);
    await allReach(newestOf(0) + 2, [joiner]);
    expect(joined.core.agreement.describe().isFollowing).toBe(true);
    expect(joined.results[0]!.round).toBe(firstRoundOfEpoch(parameters, 2));

    const epoch = epochOfRound(parameters, newestOf(1) + 1);
    const stake = { kind: "stake" as const, epoch, nonce: 0, validator: JOINER.publicKey };
    const staked = { ...stake, amount: parameters.validatorStake, multiaddrs: ["/ip4/127.0.0.1/tcp/4467"] };
    const consent = encodeMembership(membershipOf(staked, OWNER.publicKey));
    const validatorSignature = signBody(context, JOINER, "membership", consent);
    const transaction: Transaction = { ...staked, validatorSignature };
    const id = await submit(1, signTransaction(context, OWNER, transaction));
    const included = () =>
      several.running[0]!.results.find((result) => result.included.some((each) => encodeHex(each) === id));
    await several.until(() => included() !== undefined);
    expect(included()!.transactions[0]).toMatchObject({ reason: null });

    // Restarted on the way, as operators do, it goes on from what it has stored itself.
    await joined.end();
    const again = await several.start(joiner);
    const seated = firstRoundOfEpoch(parameters, included()!.epoch + 2);
    await allReach(seated + 3, [0, 1, 2, 3, joiner]);
    expect(again.core.agreement.describe().isFollowing).toBe(false);
    expect(again.core.guard.describe()).toBeNull();
    // A certificate needs four of the five, so not every round's has to name it.
    let round = seated + 1;
    while (!(await finalizersOf(round)).includes(encodeHex(JOINER.publicKey))) await allReach(++round, [0]);
    // It admits reports now, and its lane is acknowledged.
    await submit(joiner, signReports(context, 1, epochOfRound(parameters, newestOf(joiner) + 1), 2));

    const leaving = { kind: "unstake" as const, epoch: epochOfRound(parameters, newestOf(0) + 1), nonce: 0 };
    const gone = validatorKey(3);
    await submit(0, signTransaction(context, gone, { ...leaving, validator: gone.publicKey }));
    await several.until(() =>
      several.running[0]!.results.some(
        ({ epochClose }) =>
          epochClose !== null &&
          epochClose.epoch > included()!.epoch + 1 &&
          !epochClose.nextValidators.some((key) => equalBytes(key, gone.publicKey)),
      ),
    );
    await several.until(() => several.running[3]!.core.agreement.describe().isFollowing);
    await allReach(newestOf(0) + 3, [0, 1, 2, 3, joiner]);
    const histories = several.running.map((each) => digestsOf(each!));
    for (const history of histories)
      for (const [round, digest] of history) expect(digest).toBe(histories[0]!.get(round));
    const roots = [0, joiner].map((position) =>
      several.running[position]!.results.flatMap(({ epochClose }) => epochClose?.rewardRoot ?? []).at(-1),
    );
    expect(roots[1]).toEqual(roots[0]);

    // What it can replay begins after the checkpoint.
    await again.end();
    const storage = await openStorage(several.homeOf(joiner), identity);
    const first = await storage.store.oldestReplayable();
    expect(first).toBe(checkpoint.epoch + 1);
    const { epoch: latest } = (await storage.store.latestEpoch())!;
    const replayed = [];
    const modules = { ...storage, ...identity, ledgerModules: LEDGER_MODULES };
    for await (const { epoch, equal } of replayEpochs(first!, latest, modules)) replayed.push([epoch, equal]);
    expect(replayed).toEqual(Array.from({ length: latest - first! + 1 }, (_, n) => [first! + n, true]));
    // Two epochs from the stake to the seat, and two from there until the other has left.
    expect(replayed.length).toBeGreaterThanOrEqual(4);
    await storage.close();
  });

  test("refuses a state that is not the one that was pinned, and says what is wrong with it", async () => {
    const checkpoint = await checkpointOf(1);
    const identity = createIdentity(several.genesis, JOINER.secretSeed);
    const get = (answers: typeof fetch, at: Checkpoint = checkpoint) =>
      fetchCheckpoint(at, identity, { fetch: answers, pause, log });
    const changed =
      (type: Fetch["type"], change: (bytes: Uint8Array) => Uint8Array) => async (asked: Fetch) => {
        const answer = await fetch(asked);
        return asked.type === type && answer !== null ? change(answer) : answer;
      };
    const flip = (at: number) => (bytes: Uint8Array) => {
      const copy = bytes.slice();
      copy[at < 0 ? copy.length + at : at]! ^= 1;
      return copy;
    };
    const state = await get(fetch);
    expect(state.ledger.lastClosedEpoch).toBe(1);
    const refusals: readonly (readonly [RegExp, Promise<unknown>])[] = [
      [/wrong_root/, get(fetch, { epoch: 1, stateRoot: flip(0)(checkpoint.stateRoot) })],
      [/wrong_epoch/, get(changed("manifest", flip(0)))],
      [/wrong_length|malformed/, get(changed("manifest", flip(14)))],
      [/wrong_root/, get(changed("manifest", flip(-1)))],
      [/malformed/, get(changed("manifest", (bytes) => bytes.slice(0, -3)))],
      [/malformed/, get(changed("manifest", () => new Uint8Array(2_000_000)))],
      [/wrong_piece/, get(changed("piece", flip(1_000)))],
      [/wrong_piece/, get(changed("piece", (bytes) => bytes.slice(0, -1)))],
      [/wrong_piece/, get(changed("piece", (bytes) => Buffer.concat([bytes, bytes])))],
      [/not proven|malformed|does not give/, get(changed("rounds", flip(-1)))],
    ];
    for (const [text, refusal] of refusals)
      await expect(refusal).rejects.toMatchObject({ message: expect.stringMatching(text) });
    const none = get(fetch, { ...checkpoint, epoch: 77 });
    await expect(none).rejects.toMatchObject({ code: "checkpoint_missing" });
    const silent = get(async (asked) => (asked.type === "piece" ? null : await fetch(asked)));
    await expect(silent).rejects.toMatchObject({ code: "checkpoint_missing" });
    // Who is told nothing for a while, as one who asks too fast is, waits and goes on.
    const pauses: number[] = [];
    const busy = async (asked: Fetch) =>
      asked.type === "piece" && pauses.length < 5 ? null : await fetch(asked);
    const wait = async (pauseMs: number) => void pauses.push(pauseMs);
    const late = await fetchCheckpoint(checkpoint, identity, { fetch: busy, pause: wait, log });
    expect(late.bytes).toEqual(state.bytes);
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000]);
  });

  test("refuses a checkpoint that ends before the votes that the home kept, and names one that does not", async () => {
    const checkpoint = await checkpointOf(1);
    const identity = createIdentity(several.genesis, JOINER.secretSeed);
    const state = await fetchCheckpoint(checkpoint, identity, { fetch, pause, log });
    const home = several.homeOf(several.add());
    await makePrivateFolder(home);
    const { votes, store } = homePaths(home);
    const openKept = () =>
      openVotes(votes, { network: identity.networkId, validator: identity.signer.publicKey });
    const { round, valueBytes: value, certBytes: cert } = state.last;
    // What is decided and not yet executed at the end: from the last executed epoch's end on.
    const first = firstRoundOfEpoch(several.genesis.parameters, 4) - 1;
    const kept = openKept();
    kept.recordDecided([first, first + 1].map((each) => ({ round: each, value, cert })));
    kept.close();
    await expect(startHome(home, identity, checkpoint, state)).rejects.toMatchObject({
      code: "votes_conflict",
      message: expect.stringContaining("pin epoch 3 or a newer one"),
    });
    expect(existsSync(store)).toBe(false);
    const after = openKept();
    expect(after.decidedFrom(round).map((decided) => decided.round)).toEqual([first, first + 1]);
    after.recordDecided(
      Array.from({ length: first - round - 1 }, (_, n) => ({ round: round + 1 + n, value, cert })),
    );
    after.close();
    await startHome(home, identity, checkpoint, state);
    expect(existsSync(store)).toBe(true);
  });
});
