/** The shell of attestation where its disk fails. */
import { expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { verifySignature } from "../../../node/src/host/verify.ts";
import { encodeRewardCert } from "../../../protocol/src/agreement/attest.ts";
import { fixedSets } from "../../../protocol/src/agreement/certificates.ts";
import { computeParametersHash } from "../../../protocol/src/network/parameters.ts";
import { Attestor } from "../../../validator/src/rounds/attestor.ts";
import { createSigner } from "../../../validator/src/signer.ts";
import { ManualClock } from "./support/manualClock.ts";
import { contextOf, createTestGenesis, keyNamed, VALIDATOR } from "./support/network.ts";
import { certifyAttest } from "./support/rewardCerts.ts";

const { domains, set, parameters } = contextOf(createTestGenesis(0));
const EPOCH = 3;
const CERT = certifyAttest(
  domains,
  {
    epoch: EPOCH,
    rewardRoot: new Uint8Array(32),
    stateRoot: new Uint8Array(32),
    nextValidatorsHash: new Uint8Array(32),
    parametersHash: computeParametersHash(parameters),
    rulesVersion: 1,
  },
  [VALIDATOR],
);

test("a certificate that it asked for and cannot keep is a failure, and said so", async () => {
  const clock = new ManualClock(0);
  const failed = Promise.withResolvers<Error>();
  const diskFull = new Error("the disk is full");
  const attestor = new Attestor(
    { sets: fixedSets(set), domains, parametersHash: computeParametersHash(parameters), repeatMs: 100 },
    {
      mesh: {
        broadcast: () => {},
        send: () => {},
        connected: () => ["a"],
        fetch: async (_, fetch) =>
          fetch.type === "rewardCert" && fetch.epoch === EPOCH ? encodeRewardCert(CERT) : null,
      },
      votes: {
        recordAttest: () => "recorded",
        recordRewardCert: () => {
          throw diskFull;
        },
        rewardCert: () => null,
        openAttests: () => [],
      },
      signer: createSigner(domains, keyNamed("follower").secretSeed),
      verify: verifySignature,
      clock,
      log: createSilentLog(),
      onRewardCert: () => {},
      onSplit: () => {},
      onConflict: () => {},
      onDropped: () => {},
      onFailure: failed.resolve,
    },
  );
  attestor.start(EPOCH);
  clock.advance(100);
  expect(await failed.promise).toBe(diskFull);
  attestor.stop();
});
