import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { EarningsReader } from "../../../node/src/hotspot/earnings.ts";
import { createLightAnchor } from "../../../protocol/src/agreement/lightClient.ts";
import { encodeRewardEvidence } from "../../../protocol/src/agreement/rewardEvidence.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeNetworkId, type Genesis } from "../../../protocol/src/network/genesis.ts";
import { computeParametersHash } from "../../../protocol/src/network/parameters.ts";
import { createLightNetwork, keysOf } from "../agreement/lightNetwork.ts";
import { createTestGenesis } from "../validator/support/network.ts";
import { newKey } from "./fakeValidator.ts";

const base = createTestGenesis(2);
const genesis: Genesis = {
  ...base,
  validators: keysOf(0).map((key) => ({ key, stake: base.parameters.validatorStake, multiaddrs: [] })),
};
const { evidenceOf, anchorAt } = createLightNetwork(
  computeNetworkId(genesis),
  computeParametersHash(genesis.parameters),
);
const evidence = evidenceOf(6);
const owner = evidence.proof.account;
const hotspot = newKey().publicKey;
const ESCROW = { withheld: "4", released: "5" };
const LINE = { firstEpoch: 5, lastEpoch: 5, beaconPaid: "1", witnessPaid: "2", paid: "3", ...ESCROW };

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

type Answers = {
  readonly rewards?: unknown;
  readonly trust?: unknown;
  readonly proof?: unknown;
  readonly proofStatus?: number;
};

/** An API that answers as it is told to, and counts how often it was asked. */
async function startApi({ rewards, trust, proof, proofStatus = 200 }: Answers) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    const isProof = request.url!.includes("/proof?since=");
    response.statusCode = isProof ? proofStatus : 200;
    const isTrust = request.url!.endsWith("/trust?limit=1");
    const json = isProof ? proof : isTrust ? (trust ?? {}) : (rewards ?? { items: [LINE] });
    response.end(typeof json === "string" ? json : JSON.stringify(json));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => server.close());
  return { api: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

let elapsedMs = 0;
const clock = { elapsedMs: () => elapsedMs } as ConstructorParameters<typeof EarningsReader>[1]["clock"];
const anchor = () => createLightAnchor(genesis);
const read = (api: string, account = owner, of = anchor) =>
  new EarningsReader({ api, hotspot, owner: account, anchor: of }, { clock }).read();

describe("earnings", () => {
  test("are told by the epoch, and the total is proven from genesis", async () => {
    const { api, asked } = await startApi({
      rewards: { items: [LINE, { ...LINE, firstEpoch: 6 }] },
      proof: encodeRewardEvidence(evidence),
    });
    const earnings = await read(api);
    expect(earnings).toEqual({
      api,
      account: encodeDidKey(owner),
      fault: null,
      epochs: [6, 5].map((epoch) => ({ epoch, beaconPaid: "1", witnessPaid: "2", paid: "3", ...ESCROW })),
      withheld: null,
      proven: { total: `${evidence.proof.total}`, epoch: 6 },
      words: expect.stringMatching(/^Proof checked by the validators of epoch 0: signed by \d of \d\.$/),
    });
    expect(asked.toSorted()).toEqual([
      `/v1/accounts/${encodeDidKey(owner)}/proof?since=0`,
      `/v1/hotspots/${encodeDidKey(hotspot)}/rewards`,
      `/v1/hotspots/${encodeDidKey(hotspot)}/trust?limit=1`,
    ]);
  });

  test("are told with why pay is withheld, and what is held until when", async () => {
    const computation = {
      fromEpoch: 4,
      graphPpm: 1_000_000,
      trustPpm: 62_500,
      suspended: true,
      appealed: false,
      findings: [{ penalty: "snr_grid", factorPpm: 62_500, endsEpoch: 20 }],
    };
    const trust = {
      paidMinPpm: 100_000,
      items: [computation],
      escrow: [{ amount: "7", untilEpoch: 9 }],
      appeal: { pending: true, decidedFromEpoch: 6, barredUntilEpoch: null },
    };
    const told = async (answer: unknown) =>
      (await read((await startApi({ trust: answer, proof: {}, proofStatus: 404 })).api)).withheld;
    const escrow = [{ amount: "7", untilEpoch: 9 }];
    expect(await told(trust)).toEqual({
      isSuspended: true,
      penalties: ["snr_grid"],
      escrow,
      isAppealed: true,
    });
    const { findings } = computation;
    const twice = { ...computation, findings: [...findings, ...findings] };
    expect((await told({ ...trust, items: [twice] }))?.penalties).toEqual(["snr_grid"]);
    expect(await told({ ...trust, items: [] })).toMatchObject({ isSuspended: false, penalties: [], escrow });
    expect(await told({ ...trust, items: [], escrow: [] })).toBeNull();
    expect(await told({ ...trust, escrow: "much" })).toBeNull();
  });

  test("that a validator makes up are not shown as proven, with the reason", async () => {
    const json = encodeRewardEvidence(evidence);
    const refused = async (answers: Answers, account = owner) =>
      await read((await startApi(answers)).api, account);
    const more = await refused({ proof: { ...json, total: `${evidence.proof.total + 1n}` } });
    expect([more.proven, more.words]).toEqual([
      null,
      "Not proven: Account and total do not hash to the reward root: one of them is not what was paid.",
    ]);
    const certless = await refused({ proof: { ...json, certificate: null } });
    expect(certless.words).toContain("No quorum had attested");
    expect((await refused({ proof: json }, newKey().publicKey)).words).toContain("another account");
    expect((await refused({ proof: { hello: 1 } })).words).toContain("does not have the form");
    expect((await refused({ proof: {}, proofStatus: 404 })).words).toBe(
      "The account has earned nothing yet.",
    );
    expect((await refused({ proof: {}, proofStatus: 503 })).words).toContain("HTTP status 503");
    for (const items of [null, [null], [{ ...LINE, paid: "many" }], [{ ...LINE, firstEpoch: "5" }], "x"]) {
      expect((await refused({ rewards: { items }, proof: json })).epochs).toEqual([]);
    }
  });

  test("are proven by the validators that are known, with the changes of the set since alone", async () => {
    let known = anchorAt(2);
    const since = { ...evidence, setHistory: [] };
    const { api, asked } = await startApi({ proof: encodeRewardEvidence(since) });
    expect((await read(api, owner, () => known)).proven).toEqual({
      total: `${evidence.proof.total}`,
      epoch: 6,
    });
    expect(asked).toContain(`/v1/accounts/${encodeDidKey(owner)}/proof?since=2`);
    // From genesis a change is missing; and of an epoch that is past no later validators can tell.
    expect((await read(api)).words).toContain("not signed by a quorum");
    known = anchorAt(7);
    expect((await read(api, owner, () => known)).words).toContain("before the checkpoint");
  });

  test("are shown where their proof, or what is withheld, is too much or no answer", async () => {
    const much = "x".repeat(4 * 1_048_576 + 1);
    const { api } = await startApi({ proof: much, trust: much });
    expect(await read(api)).toMatchObject({
      epochs: [{ epoch: 5 }],
      withheld: null,
      proven: null,
      fault: null,
      words: "Not proven: the validator answers too much.",
    });
  });

  test("of no validator, or of something else, are a fault in words", async () => {
    expect((await read("http://127.0.0.1:9")).fault).toContain("no validator answers");
    const { api } = await startApi({ proof: "<html>", rewards: "<html>" });
    expect((await read(api)).fault).toContain("no Hexbeacon validator's API");
    const { api: talker } = await startApi({ rewards: "x".repeat(100_000), proof: "{}" });
    expect((await read(talker)).fault).toContain("answers too much");
  });

  test("are asked for once a minute, however often they are read", async () => {
    const { api, asked } = await startApi({ proof: encodeRewardEvidence(evidence) });
    const reader = new EarningsReader({ api, hotspot, owner, anchor }, { clock });
    await Promise.all(Array.from({ length: 10 }, () => reader.read()));
    expect(asked).toHaveLength(3);
    elapsedMs += 60_000;
    await reader.read();
    expect(asked).toHaveLength(6);
  });
});
