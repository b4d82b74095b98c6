/** Beacons of a hotspot with a device beside it, and of one whose key was changed while a beacon of it was open. */
import { generateKeyPairSync, sign as signNode } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { verifyDeviceSignature } from "../../../node/src/host/verify.ts";
import type { Cosigner } from "../../../node/src/hotspot/beaconRecord.ts";
import { saveFirstChallenge } from "../../../node/src/hotspot/firstChallenge.ts";
import { concatBytes } from "../../../protocol/src/bytes/bytes.ts";
import { signingMessage } from "../../../protocol/src/crypto/domain.ts";
import { lowerP256Signature } from "../../../protocol/src/crypto/p256.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { computeChallenge } from "../../../protocol/src/evidence/challenge.ts";
import { computeCommit, computeTag } from "../../../protocol/src/evidence/commitReveal.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import { encodeCosignedBeacons } from "../../../protocol/src/wire/reports.ts";
import { createWorld, DOMAINS, Life, NETWORK_ID, type World } from "./beaconerLife.ts";

const parameters = PRESETS.test;
const plan = REGION_PLANS.EU868;
const seed = new Uint8Array(32).fill(1);
const { hotspot, challenge } = findEarlyKey();
const end = challenge.slotRound + 30;
const never = new Promise<void>(() => undefined);

function findEarlyKey() {
  for (let i = 0; ; i++) {
    const key = sha256(Uint8Array.of(i & 255, i >> 8));
    const found = computeChallenge(parameters, seed, key, 0, plan)!;
    if (found.slotRound >= 2 && found.slotRound <= 5) return { hotspot: key, challenge: found };
  }
}

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-cosigned-"));
});

const begin = (world: World, cosign: Cosigner | null = null, key = hotspot): Promise<Life> =>
  Life.begin(world, { home, plan, gainCentiDbi: 0, hotspot: key, seed, parameters, cosign });

/** A secure element: each signing of a message gives another signature. */
function createDevice() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x, y } = publicKey.export({ format: "jwk" });
  const sign = Buffer.from(y!, "base64url").at(-1)! & 1;
  const deviceKey = concatBytes(Uint8Array.of(2 + sign), Buffer.from(x!, "base64url"));
  const device = { asked: 0, isSilent: false, cosign: null as unknown as Cosigner };
  device.cosign = async (message) => {
    device.asked++;
    if (device.isSilent) throw new CodedError("device_key_failed", "the token is not there");
    const raw = signNode("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" });
    return { deviceKey, signature: lowerP256Signature(new Uint8Array(raw))! };
  };
  return device;
}

describe("a hotspot with a device", () => {
  test("reports its beacon with the device's signature over what it reports", async () => {
    const [world, device] = [createWorld(), createDevice()];
    const life = await begin(world, device.cosign);
    for (let round = 0; round < challenge.slotRound + 2; round++) await life.hear(round, never);
    const [bundle] = [...world.sent.values()];
    const { deviceKey, signature } = bundle!.cosignature!;
    const message = signingMessage(DOMAINS, "cosigned", encodeCosignedBeacons(hotspot, bundle!));
    expect(verifyDeviceSignature(deviceKey, message, signature)).toBe(true);
  });

  test("asks it once for a beacon, and reports the same after a crash at any step", async () => {
    for (let crashAt = 0; crashAt < 6; crashAt++) {
      await rm(join(home, "beacons.json"), { force: true });
      const [world, device] = [createWorld(), createDevice()];
      let steps = 0;
      const crash = Promise.withResolvers<void>();
      world.step = async () => {
        if (steps++ !== crashAt) return;
        crash.resolve();
        await never;
      };
      const first = await begin(world, device.cosign);
      for (let round = 0; round <= challenge.slotRound; round++) await first.hear(round, crash.promise);
      world.step = async () => undefined;
      const second = await begin(world, device.cosign);
      for (let round = challenge.slotRound + 1; round <= end; round++) await second.hear(round, never);
      const beacons = [...world.sent.values()].filter(({ beacons }) => beacons.length > 0);
      expect(beacons.length).toBeLessThanOrEqual(1);
      expect(device.asked).toBeLessThanOrEqual(1);
    }
  });

  test("waits for one that is silent, and gives the beacon up when its report can count no more", async () => {
    for (const signsFrom of [challenge.slotRound + 2, Number.POSITIVE_INFINITY]) {
      await rm(join(home, "beacons.json"), { force: true });
      const [world, device] = [createWorld(), createDevice()];
      const life = await begin(world, device.cosign);
      for (let round = 0; round <= end; round++) {
        device.isSilent = round < signsFrom;
        await life.hear(round, never);
        const isWaiting = round >= challenge.slotRound && round < signsFrom;
        if (isWaiting) expect(life.beaconer.lastFailure()).toBe("no_cosignature");
      }
      expect(world.transmitted).toHaveLength(1);
      const signs = signsFrom < end;
      expect(life.beaconer.beacons()).toMatchObject([{ end: signs ? "complete" : "no_cosignature" }]);
      expect(world.sentInRound.map(({ kind }) => kind)).toEqual(signs ? ["beacon", "reveal"] : []);
      // No more often than rounds come, and not after the slot's tolerance.
      expect(device.asked).toBeLessThanOrEqual(parameters.beaconToleranceRounds + 1);
    }
  });
});

describe("a hotspot whose key was changed", () => {
  test("beacons in no epoch before the one that the command has noted", async () => {
    await saveFirstChallenge(home, NETWORK_ID, 1);
    const world = createWorld();
    const life = await begin(world);
    for (let round = 0; round < parameters.roundsPerEpoch - 1; round++) await life.hear(round, never);
    expect([world.transmitted, life.beaconer.next()]).toEqual([[], null]);
    await saveFirstChallenge(home, NETWORK_ID, 0);
    const next = await begin(world);
    for (let round = 0; round <= challenge.slotRound; round++) await next.hear(round, never);
    expect(world.transmitted).toHaveLength(1);
  });

  test("reveals what it sent under the key before by that key's commit", async () => {
    const world = createWorld();
    const life = await begin(world);
    for (let round = 0; round < challenge.slotRound + 2; round++) await life.hear(round, never);
    const secret = Uint8Array.from(life.beaconer.beacons()[0]!.secret);
    await saveFirstChallenge(home, NETWORK_ID, 2);
    const rotated = await begin(world, null, sha256(hotspot));
    for (let round = challenge.slotRound + 2; round <= end; round++) await rotated.hear(round, never);
    const [reveal] = [...world.sent.values()].flatMap(({ reveals }) => reveals);
    expect(reveal!.tag).toEqual(computeTag(computeCommit(hotspot, 0, secret)));
    expect(Uint8Array.from(reveal!.secret)).toEqual(secret);
  });
});
