/** What the API says of agreement: certificates, proofs and evidence as anyone can verify them, seats, rounds by number. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import {
  type Attest,
  checkRewardCert,
  computeValidatorsHash,
  decodeRewardCert,
  encodeAttest,
  RULES_VERSION,
} from "../../../protocol/src/agreement/attest.ts";
import { createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import { createEvidence, type SignedBody } from "../../../protocol/src/agreement/evidence.ts";
import { encodeEvidenceJson, verifyEvidenceJson } from "../../../protocol/src/agreement/evidenceJson.ts";
import { verifyRewardEvidence } from "../../../protocol/src/agreement/lightClient.ts";
import { decodeCheckpoint, decodeRewardEvidence } from "../../../protocol/src/agreement/rewardEvidence.ts";
import { decodeHex, encodeHex, encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import type { Conviction, EpochClose, ValidatorView } from "../../../protocol/src/ledger/types.ts";
import { createRewardTree } from "../../../protocol/src/reward/rewardTree.ts";
import { createMemoryStore } from "../../store/memoryStore.ts";
import { createHistory } from "../store/history.ts";
import { contextOf, createTestGenesis, keyNamed, signBody } from "../validator/support/network.ts";
import { certifyAttest } from "../validator/support/rewardCerts.ts";
import { createFixture, type Fixture } from "./apiFixture.ts";

const EPOCHS = 5;
const context = contextOf(createTestGenesis(0));
const { networkId, domains } = context;
const key = (index: number) => keyNamed(`validator ${index}`);
const hash = (fill: number) => new Uint8Array(32).fill(fill);
const OWNER = keyNamed("owner").publicKey;

/** A fifth validator sits from epoch 2 on; from epoch 4 on the first has left. */
const seatsOf = (epoch: number) => (epoch < 2 ? [0, 1, 2, 3] : epoch < 4 ? [0, 1, 2, 3, 4] : [1, 2, 3, 4]);
const keysOf = (epoch: number) => seatsOf(epoch).map((index) => key(index).publicKey);
const tree = createRewardTree(OWNER, BigUint64Array.of(42n));

const attestOf = (epoch: number): Attest => ({
  epoch,
  rewardRoot: tree.root,
  stateRoot: hash(2),
  nextValidatorsHash: computeValidatorsHash({ keys: keysOf(epoch + 2) }),
  parametersHash: hash(4),
  rulesVersion: RULES_VERSION,
});
/** All but the last of the epoch's validators attest. */
function certify(epoch: number) {
  const members = seatsOf(epoch).map(key);
  return certifyAttest(domains, attestOf(epoch), members, (seat) => seat < members.length - 1);
}

const say = (root: number): SignedBody => {
  const body = encodeAttest({ ...attestOf(1), rewardRoot: hash(root) });
  return { kind: "attest", body, signature: signBody(context, key(2), "attest", body) };
};
const piece = createEvidence(key(2).publicKey, say(8), say(9))!;
const conviction: Conviction = { ...piece, kind: "double_attest", slashed: 99n };

const viewOf = (index: number, change: Partial<ValidatorView> = {}): ValidatorView => ({
  key: key(index).publicKey,
  owner: OWNER,
  stake: 7n,
  sinceEpoch: 0,
  unbondingUntilEpoch: null,
  isTombstoned: false,
  multiaddrs: [`/ip4/127.0.0.1/tcp/${index}`],
  ...change,
});

/** A made-up history in which these validators sit, stake and are convicted. */
async function createStore() {
  const { genesis, commits } = createHistory("agreement", EPOCHS);
  const store = createMemoryStore({
    ...genesis,
    validators: [0, 1, 2, 3].map((index) => viewOf(index)),
    seats: keysOf(0),
  });
  const closeOf = (close: EpochClose): EpochClose => ({
    ...close,
    nextValidators: keysOf(close.epoch + 2),
    validatorsPaid: keysOf(close.epoch).map((each, seat) => ({
      key: each,
      rounds: seat,
      amount: BigInt(seat),
    })),
  });
  for (const { commit, snapshot } of commits) {
    const { round, epochClose } = commit.result;
    const result = {
      ...commit.result,
      validatorsChanged:
        round === 1
          ? [viewOf(4)]
          : round === 20
            ? [viewOf(0, { unbondingUntilEpoch: 12 }), viewOf(2, { isTombstoned: true, stake: 0n })]
            : [],
      evidence: round === 20 ? [conviction] : [],
      epochClose: epochClose && closeOf(epochClose),
    };
    await store.commitRound({ ...commit, result }, snapshot);
  }
  return store;
}

describe("agreement over HTTP", () => {
  let fixture: Fixture;
  /** Epochs of which this validator keeps no certificate. */
  const missing = new Set<number>();
  const ask = async (path: string) => (await fixture.get(path)).json();
  beforeAll(async () => {
    fixture = await createFixture(
      {
        network: {
          ...{ name: "test network", id: networkId, parameters: context.parameters },
          writeGenesis: () => "{}",
        },
      },
      {
        store: await createStore(),
        agreement: {
          rewardCert: async (epoch) => (epoch < EPOCHS && !missing.has(epoch) ? certify(epoch) : null),
          isConnected: async (each) =>
            encodeHex(each) === encodeHex(key(1).publicKey)
              ? null
              : encodeHex(each) !== encodeHex(key(3).publicKey),
        },
        ledger: {
          appeal: async () => null,
          rewardProof: async (account) =>
            encodeHex(account) === encodeHex(OWNER) ? { proof: tree.prove(0), epoch: EPOCHS - 1 } : null,
        },
      },
    );
  });
  afterAll(() => fixture.api.close());

  test("gives an epoch's certificate with the set that verifies it", async () => {
    for (const epoch of [0, 2, 4]) {
      const answer = await ask(`/v1/epochs/${epoch}/certificate`);
      expect(answer.attest).toMatchObject({ epoch, rewardRoot: encodeHex0x(tree.root) });
      expect(answer.validators).toEqual(keysOf(epoch).map(encodeDidKey));
      expect(answer.signers).toEqual(answer.validators.slice(0, -1));
      expect(answer.quorum).toBe(createValidatorSet(keysOf(epoch)).quorum);
      const decoded = decodeRewardCert(decodeHex(answer.bytes.certificate.slice(2))!)!;
      const set = createValidatorSet(keysOf(epoch));
      expect(checkRewardCert(decoded, set, domains, verifySignature)).toBeNull();
      expect(answer.bytes.attest).toBe(encodeHex0x(encodeAttest(attestOf(epoch))));
    }
    expect((await fixture.get("/v1/epochs/9/certificate")).statusCode).toBe(404);
    expect((await fixture.get("/v1/epochs/latest/certificate")).statusCode).toBe(400);
  });

  test("gives a proof that verifies from genesis and from its own checkpoints", async () => {
    const path = `/v1/accounts/${encodeDidKey(OWNER)}/proof`;
    const anchorAt = (json: unknown) => {
      const checkpoint = decodeCheckpoint(json);
      if (!checkpoint.ok) throw new Error(checkpoint.detail);
      return { networkId, parametersHash: hash(4), checkpoint: checkpoint.value };
    };
    const judge = (json: unknown, anchor: ReturnType<typeof anchorAt>) => {
      const evidence = decodeRewardEvidence(json);
      if (!evidence.ok) throw new Error(evidence.detail);
      return verifyRewardEvidence(evidence.value, anchor, verifySignature);
    };
    const whole = await ask(path);
    expect(whole.setHistory).toHaveLength(2);
    for (const [since, steps] of [
      [0, 2],
      [1, 1],
      [2, 1],
      [3, 0],
      [4, 0],
    ] as const) {
      const anchor = anchorAt(await ask(`/v1/epochs/${since}/checkpoint`));
      const short = await ask(`${path}?since=${since}`);
      expect(short.setHistory).toHaveLength(steps);
      const verdict = judge(short, anchor);
      expect(verdict).toMatchObject({
        valid: true,
        reward: { total: 42n, epoch: 4, signers: 3, setChanges: steps },
      });
      expect(judge(whole, anchor)).toEqual(verdict);
    }
    expect((await fixture.get("/v1/epochs/99/checkpoint")).statusCode).toBe(404);
    expect((await fixture.get(`${path}?since=x`)).statusCode).toBe(400);
  });

  test("says which certificate a proof lacks, rather than leave it out", async () => {
    const path = `/v1/accounts/${encodeDidKey(OWNER)}/proof`;
    missing.add(0);
    const answer = await fixture.get(path);
    expect([answer.statusCode, answer.json().detail]).toEqual([
      410,
      expect.stringContaining("certificate of epoch 0"),
    ]);
    expect((await fixture.get(`${path}?since=2`)).statusCode).toBe(200);
    missing.add(EPOCHS - 1);
    expect((await ask(`${path}?since=2`)).certificate).toBeNull();
    missing.clear();
  });

  test("lists the seats of any epoch that is fixed, with who is connected", async () => {
    const running = await ask("/v1/validators");
    expect(running).toMatchObject({ epoch: EPOCHS, fromEpoch: 4, quorum: 3 });
    const { items, ...set } = await ask("/v1/validators?epoch=3");
    expect(set).toEqual({ epoch: 3, fromEpoch: 2, quorum: 4 });
    expect(items.map((item: { connected: boolean | null }) => item.connected)).toEqual([
      true,
      null,
      true,
      false,
      true,
    ]);
    expect(items[1]).toMatchObject({ seat: 1, id: encodeDidKey(key(1).publicKey), stake: "7" });
    expect((await ask(`/v1/validators?epoch=${EPOCHS + 1}`)).items).toHaveLength(4);
    expect((await fixture.get(`/v1/validators?epoch=${EPOCHS + 2}`)).statusCode).toBe(404);
  });

  test("tells what a validator has at stake, did, was paid, and is accused of", async () => {
    const convicted = await ask(`/v1/validators/${encodeDidKey(key(2).publicKey)}`);
    expect(convicted).toMatchObject({
      status: "tombstoned",
      stake: "0",
      owner: encodeDidKey(OWNER),
      connected: true,
    });
    expect(convicted.seats).toEqual([
      { epoch: 5, seat: 1 },
      { epoch: 6, seat: 1 },
    ]);
    expect(convicted.participation[0]).toEqual({ epoch: 4, seat: 1, rounds: 1, epochRounds: 6, paid: "1" });
    expect(convicted.evidence).toHaveLength(1);
    const left = await ask(`/v1/validators/${encodeHex(key(0).publicKey)}`);
    expect(left).toMatchObject({ status: "leaving", unbondingUntilEpoch: 12, evidence: [] });
    expect(left.seats[0]).toEqual({ epoch: 5, seat: null });
    const path = `/v1/validators/${encodeDidKey(key(0).publicKey)}/participation`;
    const first = await ask(`${path}?limit=3`);
    expect(first.items.map(({ epoch }: { epoch: number }) => epoch)).toEqual([3, 2, 1]);
    expect((await ask(`${path}?limit=3&cursor=${first.next}`)).items).toHaveLength(1);
    const stranger = encodeDidKey(keyNamed("nobody").publicKey);
    expect((await fixture.get(`/v1/validators/${stranger}`)).statusCode).toBe(404);
    expect((await fixture.get(`/v1/validators/${stranger}/participation`)).statusCode).toBe(404);
  });

  test("lists everyone who ever staked", async () => {
    const { items, next } = await ask("/v1/stakes?limit=4");
    const statuses = items.map(({ status }: { status: string }) => status);
    expect(statuses).toEqual(["leaving", "seated", "tombstoned", "seated"]);
    expect(await ask(`/v1/stakes?cursor=${next}`)).toMatchObject({
      items: [{ status: "seated" }],
      next: null,
    });
  });

  test("lists evidence that anyone can judge", async () => {
    const { items, next } = await ask("/v1/evidence");
    expect([items.length, next]).toEqual([1, null]);
    expect(items[0]).toMatchObject({ ...encodeEvidenceJson(piece, networkId), round: 20, slashed: "99" });
    expect(verifyEvidenceJson(items[0], networkId, { domains, verify: verifySignature })).toMatchObject({
      valid: true,
      kind: "double_attest",
    });
    expect((await ask(`/v1/evidence?offender=${encodeDidKey(key(2).publicKey)}`)).items).toEqual(items);
    expect((await ask(`/v1/evidence?offender=${encodeDidKey(key(1).publicKey)}`)).items).toEqual([]);
  });

  test("gives a round by its number", async () => {
    const latest = await ask("/v1/rounds/latest");
    expect(await ask(`/v1/rounds/${latest.round}`)).toEqual(latest);
    expect((await fixture.get("/v1/rounds/999999")).statusCode).toBe(404);
    expect((await fixture.get("/v1/rounds/1e3")).statusCode).toBe(400);
  });
});
