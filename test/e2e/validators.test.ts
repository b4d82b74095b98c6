/** Four validators as processes of their own: one history and equal rewards, also when one of them is killed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RewardCertificateJson } from "../../validator/src/api/schemas/agreement.ts";
import { type Devnet, startDevnet } from "../devnet/src/devnet.ts";
import { summarizeSeveral } from "../devnet/src/several.ts";

const HOTSPOTS = 6;

let folder: string;
let devnet: Devnet;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-validators-"));
  const options = {
    hotspots: HOTSPOTS,
    isolate: 0,
    seed: 4,
    port: 0,
    epochs: null,
    summaryFile: null,
    faults: [],
  };
  devnet = await startDevnet({ ...options, validators: 4, dataDir: folder, preset: "test" }, () => {});
}, 120_000);
afterAll(async () => {
  await devnet?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Resolves when a running validator tells of a closed epoch, from its stream of events. */
async function epochClosed(epoch: number): Promise<void> {
  const response = await fetch(`${devnet.apiUrl()}/v1/events`);
  const { closedEpoch } = await devnet.state();
  if ((closedEpoch ?? -1) >= epoch) return await response.body?.cancel();
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text = (text + chunk).slice(-100_000);
    const closed = [...text.matchAll(/"epoch":(\d+)/g)].map(([, number]) => Number(number));
    // An event that speaks of a later epoch comes when this one is closed.
    if (Math.max(-1, ...closed) > epoch) return;
  }
}

test("four validators pay equal rewards, lose one to SIGKILL, and have it back", {
  timeout: 180_000,
}, async () => {
  await epochClosed(0);
  const killed = devnet.validators[1]!;
  await killed.kill();
  const before = (await devnet.state()).closedEpoch!;
  await epochClosed(before + 1);
  await killed.start();
  await epochClosed(before + 3);

  const summary = await summarizeSeveral(devnet.validators, before + 3);
  expect(summary).toMatchObject({ rewardRootsEqual: true, validatorsDown: 0 });
  expect(summary.finalizedRounds).toBeGreaterThan(devnet.genesis.parameters.roundsPerEpoch * (before + 3));

  // Hotspots were judged and paid, though a validator that some of them submit to was gone.
  const epochs = await devnet.epochs(-1);
  expect(epochs.reduce((sum, epoch) => sum + epoch.witnessesAccepted, 0)).toBeGreaterThan(0);
  for (const epoch of epochs) expect(epoch.emitted + epoch.carriedIn).toBe(epoch.paid + epoch.carried);

  // Each of them has a quorum's word for the same root, the one that was away too.
  const certificates = await Promise.all(
    devnet.validators.map(async (role) => {
      const response = await fetch(`${role.ready().http}/v1/epochs/${before}/certificate`);
      return (await response.json()) as RewardCertificateJson;
    }),
  );
  for (const certificate of certificates) {
    expect(certificate).toMatchObject({ attest: { epoch: before, rewardRoot: epochs[before]!.rewardRoot } });
    expect(certificate.signatures.length).toBeGreaterThanOrEqual(3);
  }
  await Promise.all(devnet.validators.map((role) => role.stop()));
  expect(await devnet.replayAll()).toEqual([]);
});
