/** Which checkpoint is given to somebody who joins, and whom to ask for it. */
import { expect, test } from "vitest";
import type { RewardCert } from "../../../protocol/src/agreement/attest.ts";
import { type CheckpointOfferModules, findCheckpoint } from "../../../validator/src/checkpointOffer.ts";
import type { EpochRow } from "../../../validator/src/store/store.ts";
import type { SetChange, ValidatorRow } from "../../../validator/src/store/validatorRows.ts";
import { keyNamed } from "./support/network.ts";

const MEMBERS = ["a", "b", "c", "d"].map((name) => keyNamed(name).publicKey);
const INTERFACES = ["/ip4/10.0.0.7/tcp/4467"];
const STAKED = ["/dns4/validator.example.net/tcp/4467"];
const certOf = (epoch: number) =>
  ({
    attest: { epoch, stateRoot: new Uint8Array(32).fill(epoch) },
    bitmap: Uint8Array.of(0b1011),
  }) as RewardCert;

/** A validator that has closed epoch 20. */
const modulesOf = (
  attested: number[],
  kept: number[],
  multiaddrs: string[] = STAKED,
): CheckpointOfferModules => ({
  validator: MEMBERS[0]!,
  store: {
    latestEpoch: async () => ({ epoch: 20 }) as EpochRow,
    hasSnapshot: async (epoch) => kept.includes(epoch),
    findSet: async () => ({ epoch: 0, keys: MEMBERS }) as unknown as SetChange,
    getValidator: async () => ({ multiaddrs }) as unknown as ValidatorRow,
  },
  attestor: { rewardCert: (epoch) => (attested.includes(epoch) ? certOf(epoch) : null) },
  network: { multiaddrs: () => INTERFACES },
});

test("is the newest epoch with both a quorum's word and a snapshot", async () => {
  const offer = { signers: 3, validators: 4, multiaddrs: STAKED };
  const rootOf = (epoch: number) => ({ epoch, stateRoot: new Uint8Array(32).fill(epoch) });
  expect(await findCheckpoint(modulesOf([19, 20], [20, 19]))).toEqual({ ...offer, ...rootOf(20) });
  // After an epoch's end its word comes some rounds later.
  expect(await findCheckpoint(modulesOf([18, 19], [20, 19, 18]))).toEqual({ ...offer, ...rootOf(19) });
  expect(await findCheckpoint(modulesOf([17, 18, 19], [17, 7]))).toEqual({ ...offer, ...rootOf(17) });
  expect(await findCheckpoint(modulesOf([], [20]))).toBeNull();
  // However long ago the last snapshot was made.
  expect(await findCheckpoint(modulesOf([3], [3]))).toEqual({ ...offer, ...rootOf(3) });
});

test("is asked for where the stake says, and of one without a stake at the machine's own addresses", async () => {
  expect((await findCheckpoint(modulesOf([20], [20])))?.multiaddrs).toEqual(STAKED);
  expect((await findCheckpoint(modulesOf([20], [20], [])))?.multiaddrs).toEqual(INTERFACES);
});
