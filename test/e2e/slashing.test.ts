/**
 * A validator that contradicts itself, among real processes: its seat, its name on the network and its links are taken
 * over by a rogue with its key. What the others found against it costs it its stake, and anyone can check it offline.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSystemClock } from "../../node/src/host/clock.ts";
import { createSilentLog } from "../../node/src/host/log.ts";
import { createNetwork } from "../../node/src/host/network.ts";
import { LANE_START } from "../../protocol/src/agreement/cut.ts";
import type { PeerMessage } from "../../protocol/src/agreement/peerMessages.ts";
import { computeBatchDigest, encodeBatch, encodeBatchBody } from "../../protocol/src/agreement/rounds.ts";
import { encodeDidKey } from "../../protocol/src/crypto/didKey.ts";
import { createKeyPair } from "../../protocol/src/crypto/ed25519.ts";
import { PPM } from "../../protocol/src/network/parameters.ts";
import { encodeTransaction } from "../../protocol/src/wire/transactions.ts";
import type { ConvictionJson, ValidatorJson } from "../../validator/src/api/schemas/agreement.ts";
import { createMesh } from "../../validator/src/mesh/mesh.ts";
import { type Fleet, startFleet } from "../devnet/src/fleet/fleet.ts";
import type { ValidatorRole } from "../devnet/src/validators.ts";
import { runTool } from "../unit/tool/runTool.ts";
import { contextOf, signBody, signEnvelope } from "../unit/validator/support/network.ts";
import { ask, waitFor } from "./validatorApi.ts";

const OFFENDER = 3;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet({ validators: 4, hotspots: 1, seed: 34, preset: "test" });
});
afterAll(async () => {
  await fleet?.stop();
});

const keysOf = (validator: number) => createKeyPair(fleet.world.validators[validator]!.secretSeed);

/** The first batch of the offender's lane, with a transfer of this much in it, signed as its author. */
function batchWith(amount: bigint, epoch: number): PeerMessage {
  const keys = keysOf(OFFENDER);
  const context = contextOf(fleet.genesis);
  const transfer = { kind: "transfer", epoch, nonce: 1, to: keysOf(0).publicKey, amount } as const;
  const messages = [signEnvelope(context, keys, "transfer", encodeTransaction(transfer))];
  const batch = { lane: keys.publicKey, seq: 1, prev: LANE_START, messages };
  const encoded = encodeBatch(batch);
  const tip = { lane: batch.lane, seq: batch.seq, digest: computeBatchDigest(encoded) };
  const signature = signBody(context, keys, "batch", encodeBatchBody(tip));
  return { type: "batch", signed: { epoch, batch: encoded, signature } };
}

/** Speaks to the others with the offender's key, in the epoch that runs, until one of them has heard it. */
async function contradict(heard: () => Promise<boolean>): Promise<void> {
  const keys = keysOf(OFFENDER);
  const clock = createSystemClock();
  const log = createSilentLog();
  const options = { listen: [], subscribe: [], publishOnly: [], maxConnections: 16 };
  const network = await createNetwork(
    { ...options, secretSeed: keys.secretSeed, role: "validator" },
    { clock, log },
  );
  const mesh = createMesh({ self: keys.publicKey, seatsOf: () => 4 }, { network, clock, log });
  mesh.want(
    fleet.validators
      .slice(0, OFFENDER)
      .map((role, index) => ({ key: keysOf(index).publicKey, multiaddrs: role.ready().multiaddrs })),
  );
  await mesh.open({ onMessage: () => true, answer: async () => null, onRefused: () => {} });
  // A link that is not up yet drops what is sent, so it is said again until somebody has it.
  const witness = fleet.validators[0]!;
  const readEpoch = async () => (await ask<{ epoch: number }>(witness, "/v1/status")).epoch;
  let epoch = await readEpoch();
  const stop = clock.every(200, () => {
    for (const amount of [1n, 2n]) mesh.broadcast(batchWith(amount, epoch));
  });
  try {
    await waitFor(witness, async () => {
      epoch = await readEpoch();
      return (await heard()) ? true : null;
    });
  } finally {
    stop();
    await mesh.close();
    await network.stop();
  }
}

test("who signs two batches of one number loses stake and seat, and anyone can see why", async () => {
  const [role, other] = fleet.validators as [ValidatorRole, ValidatorRole];
  const offender = encodeDidKey(keysOf(OFFENDER).publicKey);
  const evidence = () => ask<{ items: ConvictionJson[] }>(role, `/v1/evidence?offender=${offender}`);
  const before = await ask<ValidatorJson>(role, `/v1/validators/${offender}`);
  expect(before).toMatchObject({ status: "seated", evidence: [] });

  await fleet.validators[OFFENDER]!.stop();
  await contradict(async () => (await evidence()).items.length > 0);

  const { items } = await evidence();
  const stake = BigInt(before.stake);
  const slashed = (stake * BigInt(fleet.genesis.parameters.slashPpm)) / BigInt(PPM);
  expect(items).toMatchObject([{ kind: "double_batch", slashed: `${slashed}` }]);
  const genesisFile = join(fleet.folder, "genesis.json");
  const judged = await runTool(["verify-evidence", "--genesis", genesisFile], JSON.stringify(items[0]));
  expect(judged.status).toBe(0);
  expect(JSON.parse(judged.stdout)).toMatchObject({ valid: true, offender, kind: "double_batch" });
  const bent = { ...items[0]!, second: items[0]!.first };
  expect((await runTool(["verify-evidence", "--genesis", genesisFile], JSON.stringify(bent))).status).toBe(1);

  // Everybody executed the same conviction; the seat goes with the first set that is fixed after it.
  const unseated = await waitFor(other, async () => {
    const view = await ask<ValidatorJson>(other, `/v1/validators/${offender}`);
    return view.seats[0]!.seat === null ? view : null;
  });
  expect(unseated).toMatchObject({ status: "tombstoned", stake: `${stake - slashed}`, evidence: items });
  const seats = await ask<{ items: { id: string }[] }>(other, "/v1/validators");
  expect(seats.items.map(({ id }) => id)).toEqual(
    [0, 1, 2].map((index) => encodeDidKey(keysOf(index).publicKey)),
  );
  // Each closes the epoch in its own time.
  const pages = await Promise.all(
    fleet.validators.slice(0, OFFENDER).map((each) =>
      waitFor(each, async () => {
        const page = await (await fetch(`${each.ready().http}/metrics`)).text();
        return /^hexbeacon_validators 3$/m.test(page) ? page : null;
      }),
    ),
  );
  // Whoever saw it alarms its operator.
  expect(pages.filter((page) => /^hexbeacon_evidence_total [1-9]/m.test(page)).length).toBeGreaterThan(0);
});
