/**
 * Light verification against a real network: four validators as processes, one of which leaves its seat. What their API
 * gives out is verified offline by the command, and nothing else is.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RewardEvidenceJson } from "../../protocol/src/agreement/rewardEvidence.ts";
import { encodeHex0x } from "../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../protocol/src/crypto/didKey.ts";
import { createKeyPair } from "../../protocol/src/crypto/ed25519.ts";
import { encodeTransaction } from "../../protocol/src/wire/transactions.ts";
import { type Fleet, startFleet } from "../devnet/src/fleet/fleet.ts";
import { runHexbeacon } from "../devnet/src/processes.ts";
import type { ValidatorRole } from "../devnet/src/validators.ts";
import { contextOf, signEnvelope } from "../unit/validator/support/network.ts";
import { ask, waitFor } from "./validatorApi.ts";

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet({ validators: 4, hotspots: 1, seed: 33, preset: "test" });
});
afterAll(async () => {
  await fleet?.stop();
});

const keysOf = (validator: number) => createKeyPair(fleet.world.validators[validator]!.secretSeed);
const didOf = (validator: number) => encodeDidKey(keysOf(validator).publicKey);

/** The proof of a validator's own pay, certified, of an epoch from this one on. */
const proofOf = (role: ValidatorRole, account: string, fromEpoch: number, since?: number) =>
  waitFor(role, async () => {
    const closed = (await ask<{ closedEpoch: number | null }>(role, "/v1/status")).closedEpoch ?? -1;
    if (closed < fromEpoch) return null;
    const query = since === undefined ? "" : `?since=${since}`;
    const proof = await ask<RewardEvidenceJson>(role, `/v1/accounts/${account}/proof${query}`);
    return proof.certificate === null ? null : proof;
  });

async function put(name: string, content: unknown): Promise<string> {
  const path = join(fleet.folder, name);
  await writeFile(path, JSON.stringify(content));
  return path;
}

async function verify(proof: unknown, ...flags: string[]) {
  const files = [
    "--genesis",
    join(fleet.folder, "genesis.json"),
    "--reward",
    await put("reward.json", proof),
  ];
  const { code, stdout } = await runHexbeacon(["verify", ...files, ...flags, "--json"]);
  return { code, verdict: JSON.parse(stdout) as Record<string, unknown> };
}

/** Takes a validator's stake out, signed with its own key. @returns the first epoch whose set is without it. */
async function leave(validator: number): Promise<number> {
  const role = fleet.validators[1]!;
  const keys = keysOf(validator);
  const { epoch } = await ask<{ epoch: number }>(role, "/v1/status");
  const { nonce } = await ask<{ nonce: number }>(role, `/v1/accounts/${didOf(validator)}`);
  const transaction = { kind: "unstake", epoch, nonce, validator: keys.publicKey } as const;
  const envelope = signEnvelope(contextOf(fleet.genesis), keys, "unstake", encodeTransaction(transaction));
  const response = await fetch(`${role.ready().http}/v1/transactions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ envelope: encodeHex0x(envelope) }),
  });
  expect(response.status).toBe(202);
  return await waitFor(role, async () => {
    const { seats } = await ask<{ seats: { epoch: number; seat: number | null }[] }>(
      role,
      `/v1/validators/${didOf(validator)}`,
    );
    return seats.find(({ seat }) => seat === null)?.epoch ?? null;
  });
}

const flip = (hex: string): string => `${hex.slice(0, -1)}${hex.endsWith("0") ? "1" : "0"}`;

/** One thing changed at a time, and the reason by which it must be found. */
const LIES: readonly (readonly [string, (proof: RewardEvidenceJson) => object])[] = [
  ["root_mismatch", () => ({ account: didOf(2) })],
  ["root_mismatch", ({ total }) => ({ total: `${BigInt(total) + 1n}` })],
  ["epoch_mismatch", ({ epoch }) => ({ epoch: epoch - 1 })],
  ["root_mismatch", ({ index, leafCount }) => ({ index: (index + 1) % leafCount })],
  ["leaf_count_mismatch", ({ leafCount }) => ({ leafCount: leafCount + 1 })],
  ["root_mismatch", ({ branch }) => ({ branch: [flip(branch[0]!), ...branch.slice(1)] })],
  ["root_mismatch", ({ root }) => ({ root: flip(root) })],
  ["network_mismatch", ({ networkId }) => ({ networkId: flip(networkId) })],
  ["certificate_invalid", ({ certificate }) => ({ certificate: flip(certificate!) })],
  ["not_certified", () => ({ certificate: null })],
  ["certificate_invalid", () => ({ setHistory: [] })],
  [
    "step_validators_mismatch",
    ({ setHistory: [step] }) => ({
      setHistory: [{ ...step!, validators: step!.validators.toReversed() }],
    }),
  ],
  [
    "step_certificate_invalid",
    ({ setHistory: [step] }) => ({ setHistory: [{ ...step!, certificate: flip(step!.certificate) }] }),
  ],
];

describe("what a validator's API says of a reward", () => {
  test("verifies offline from genesis, before and after a validator leaves", async () => {
    const [, role, other] = fleet.validators as [ValidatorRole, ValidatorRole, ValidatorRole];
    const account = didOf(1);
    const early = await proofOf(role, account, 1);
    expect(early.setHistory).toEqual([]);
    expect(await verify(early)).toMatchObject({
      code: 0,
      verdict: { valid: true, account, total: early.total, epoch: early.epoch, validators: 4, setChanges: 0 },
    });

    // The first seat is given up, so that everybody moves: what the old set would say of the new one's bitmap is wrong.
    const epoch = await leave(0);
    const proof = await proofOf(role, account, epoch + 1);
    const set = await ask<{ items: { id: string }[] }>(role, `/v1/validators?epoch=${epoch}`);
    expect(set.items.map(({ id }) => id)).toEqual([didOf(1), didOf(2), didOf(3)]);
    expect(proof.setHistory).toHaveLength(1);
    expect(BigInt(proof.total)).toBeGreaterThan(BigInt(early.total));
    const proven = { valid: true, total: proof.total, validators: 3, signers: 3 };
    expect(await verify(proof)).toMatchObject({ code: 0, verdict: { ...proven, setChanges: 1 } });

    // The one that left is not paid any more, and its stake waits for its return; for ten short epochs, so this comes first.
    const left = await ask<{ status: string; participation: { epoch: number }[] }>(
      role,
      `/v1/validators/${didOf(0)}`,
    );
    expect(left.status).toBe("leaving");
    expect(left.participation[0]!.epoch).toBe(epoch - 1);
    expect((await ask<{ items: unknown[] }>(role, "/v1/evidence")).items).toEqual([]);

    // The same from a checkpoint that another validator gives, with no history needed.
    const checkpoint = await put("checkpoint.json", await ask(other, `/v1/epochs/${epoch}/checkpoint`));
    const short = await proofOf(other, account, proof.epoch, epoch);
    expect(short.setHistory).toEqual([]);
    expect(await verify(short, "--checkpoint", checkpoint)).toMatchObject({
      code: 0,
      verdict: { valid: true, setChanges: 0, anchorAgeEpochs: short.epoch - epoch },
    });

    for (const [reason, change] of LIES) {
      const lie = { ...proof, ...change(proof) };
      expect(await verify(lie)).toMatchObject({ code: 1, verdict: { valid: false, reason } });
    }
  });

  test("and its metrics say how agreement fares", async () => {
    const read = async (role: ValidatorRole) => {
      const text = await (await fetch(`${role.ready().http}/metrics`)).text();
      return (series: string) => {
        const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
        return line === undefined ? null : Number(line.slice(series.length));
      };
    };
    /** Read where it is linked and abreast of the others: on a busy machine not every round finds it so. */
    const readAbreast = (role: ValidatorRole) =>
      waitFor(role, async () => {
        const value = await read(role);
        const isAbreast = value("hexbeacon_catch_up_rounds")! <= 1;
        return isAbreast && value("hexbeacon_validators_connected")! >= 2 ? value : null;
      });
    const [gone, ...others] = fleet.validators as [ValidatorRole, ...ValidatorRole[]];
    const [left, staying] = await Promise.all([read(gone), Promise.all(others.map(readAbreast))]);
    expect(left("hexbeacon_validator_seat")).toBe(-1);
    for (const [seat, value] of staying.entries()) {
      expect(value("hexbeacon_validator_seat")).toBe(seat);
      expect(value("hexbeacon_validators")).toBe(3);
      expect(value("hexbeacon_validators_quorum")).toBe(3);
      expect(value(`hexbeacon_lane_window_batches{seat="${seat}"}`)).toBe(0);
      expect(value("hexbeacon_split_attestations_total")).toBe(0);
      // What was decided here had a beginning, a first view, and votes both ways.
      const decided = value("hexbeacon_round_decision_seconds_count")!;
      expect(decided).toBeGreaterThan(10);
      expect(value("hexbeacon_view_seconds_count")).toBeGreaterThanOrEqual(decided);
      expect(value('hexbeacon_votes_total{way="sent",kind="finalize"}')).toBeGreaterThanOrEqual(decided / 2);
      expect(value('hexbeacon_votes_total{way="received",kind="notarize"}')).toBeGreaterThan(decided);
      expect(value(`hexbeacon_rounds_missed_total{seat="${seat}"}`)).toBeLessThan(decided);
    }
  });
});
