import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import type { Clock } from "../../../node/src/host/types.ts";
import type { Verdict } from "../../../node/src/hotspot/events.ts";
import { openFirstChallenge } from "../../../node/src/hotspot/firstChallenge.ts";
import { computeHelpRounds } from "../../../node/src/hotspot/heardSecrets.ts";
import { createHotspot, type Hotspot, type HotspotOptions } from "../../../node/src/hotspot/hotspot.ts";
import type { PacketRow } from "../../../node/src/hotspot/packetLog.ts";
import { findGenesisPlacement } from "../../../node/src/hotspot/placement.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { computeChallenge } from "../../../protocol/src/evidence/challenge.ts";
import { computeCommit, computeProof, computeTag } from "../../../protocol/src/evidence/commitReveal.ts";
import { computeNetworkId } from "../../../protocol/src/network/genesis.ts";
import { decodeFrame, encodeFrame } from "../../../protocol/src/radio/frame.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import { VERDICT_PENDING, VERDICT_SELECTION_PENDING } from "../../../protocol/src/wire/receipts.ts";
import { encodeMeasurement } from "../../../protocol/src/wire/reports.ts";
import { eventually } from "../host/eventually.ts";
import { FakeRadio } from "./fakeRadio.ts";
import { createTestGenesis, FakeValidator, newKey, newKeyWithSlot } from "./fakeValidator.ts";

const validatorKey = newKey();
const keyPair = newKeyWithSlot(3, 10);
const genesis = createTestGenesis([validatorKey], [keyPair]);
const { parameters } = genesis;
const cleanups: (() => Promise<unknown>)[] = [];
let home: string;
let radio: FakeRadio;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-hotspot-"));
  radio = new FakeRadio();
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startValidator(): Promise<FakeValidator> {
  const validator = await FakeValidator.start(validatorKey, genesis);
  cleanups.push(() => validator.stop());
  return validator;
}

async function startHotspot(
  validators: readonly string[],
  its = keyPair,
  { clock = createSystemClock(), ...more }: Partial<HotspotOptions> & { readonly clock?: Clock } = {},
): Promise<Hotspot> {
  const hotspot = createHotspot(
    {
      home,
      genesis,
      keyPair: its,
      validators,
      radio,
      placement: findGenesisPlacement(genesis, keyPair.publicKey)!,
      http: { host: "127.0.0.1", port: 0 },
      ...more,
    },
    { clock, log: createSilentLog(), random: randomBytes },
  );
  await hotspot.start();
  cleanups.push(() => hotspot.stop());
  return hotspot;
}

const read = async (hotspot: Hotspot, path: string) => {
  const response = await fetch(`${hotspot.httpAddress()}${path}`);
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
};

const challengeOf = (key: Uint8Array) =>
  computeChallenge(parameters, FakeValidator.seedOf(0), key, 0, REGION_PLANS.EU868)!;
const challenge = challengeOf(keyPair.publicKey);

test("a hotspot takes away what an interrupted write has left in its home, once the home is its own", async () => {
  const left = ".key.0123456789ab.tmp";
  await writeFile(join(home, left), "a seed that was being sealed");
  await startHotspot([]);
  expect(await readdir(home)).not.toContain(left);
  await writeFile(join(home, left), "another process would write here");
  await expect(startHotspot([])).rejects.toMatchObject({ code: "home_in_use" });
  expect(await readdir(home)).toContain(left);
});

describe("a hotspot with a validator in reach", () => {
  test("beacons in its slot, reports, and reveals when the window has closed", async () => {
    const validator = await startValidator();
    const hotspot = await startHotspot([validator.address]);
    const verdicts: Verdict[] = [];
    hotspot.events.on("verdict", (verdict) => verdicts.push(verdict));
    const heard = new Promise((resolve) => hotspot.events.once("round", resolve));
    await validator.advanceTo(challenge.slotRound - 2);
    await heard;
    expect(radio.transmitted).toEqual([]);
    await validator.advanceTo(challenge.slotRound - 1);
    await validator.until(() => validator.submissions.length === 1);

    expect(radio.transmitted).toHaveLength(1);
    const [request] = radio.transmitted;
    const frame = decodeFrame(request!.payload);
    if (!frame.ok) throw new Error(frame.reason);
    const commit = computeCommit(keyPair.publicKey, 0, frame.frame.secret);
    expect(frame.frame.tag).toEqual(computeTag(commit));
    const { bundle } = validator.submissions[0]!;
    expect(bundle.epoch).toBe(0);
    expect(bundle.beacons[0]).toMatchObject({
      commit,
      freqHz: challenge.freqHz,
      spreadingFactor: challenge.spreadingFactor,
      powerCentiDbm: 100 * request!.powerDbm,
    });
    // EU868 allows 16 dBm EIRP; 2 dBi of antenna gain leave 14 dBm, and a step goes no lower than 12.
    expect(request!.powerDbm).toBe(challenge.powerStepDb === 0 ? 14 : 12);

    const submitRound = challenge.slotRound - 1;
    const included = new Promise((resolve) => hotspot.events.once("included", resolve));
    await validator.advanceTo(challenge.slotRound);
    expect(await included).toMatchObject({ round: challenge.slotRound });
    const windowEnd = submitRound + 1 + parameters.witnessWindowRounds;
    for (let round = challenge.slotRound + 1; round < windowEnd; round++) await validator.advanceTo(round);
    expect(validator.submissions).toHaveLength(1);
    await validator.advanceTo(windowEnd);
    await validator.until(() => validator.submissions.length === 2);
    expect(validator.submissions[1]!.bundle.reveals).toEqual([frame.frame]);
    expect(verdicts).toContainEqual(expect.objectContaining({ kind: "beacon", reason: null }));
    expect(radio.transmitted).toHaveLength(1);
    await validator.until(() => validator.gossiped.length >= 2);
  });

  test.each([
    ["reveals another's beacon when its beaconer stays silent", VERDICT_PENDING, 1],
    ["reveals no other's beacon that has closed", VERDICT_SELECTION_PENDING, 0],
  ])("%s", async (_, verdict, reveals) => {
    const validator = await startValidator();
    const hotspot = await startHotspot([validator.address]);
    await validator.advanceTo(0);
    await new Promise((resolve) => hotspot.events.once("round", resolve));
    const frame = { tag: new Uint8Array(randomBytes(6)), secret: new Uint8Array(randomBytes(16)) };
    const included = new Promise((resolve) => hotspot.events.once("included", resolve));
    radio.hear(encodeFrame(frame));
    await validator.until(() => validator.submissions.length === 1);
    const { id, bundle } = validator.submissions[0]!;
    expect(bundle.witnesses).toHaveLength(1);
    const { answer } = validator;
    let asked = 0;
    validator.answer = (which) => {
      if (!equalBytes(which, id)) return answer(which);
      asked++;
      return { state: "included", round: 1, verdicts: [verdict] };
    };
    await validator.advanceTo(1);
    await included;
    const { first } = computeHelpRounds(parameters);
    await validator.advanceTo(first);
    const revealsSent = () =>
      validator.submissions
        .flatMap(({ bundle: sent }) => sent.reveals)
        .filter(({ tag }) => equalBytes(tag, frame.tag));
    expect(revealsSent()).toEqual([]);
    await validator.advanceTo(1 + first);
    if (reveals === 1) await validator.until(() => revealsSent().length === 1);
    // Later rounds bring no second one.
    for (const round of [2 + first, 3 + first]) {
      const before = asked;
      await validator.advanceTo(round);
      await vi.waitUntil(() => asked > before, { timeout: 20_000 });
    }
    expect(revealsSent()).toEqual(reveals === 1 ? [frame] : []);
  });

  test("witnesses others' beacons once, with a proof of its own, and not its own echo", async () => {
    const validator = await startValidator();
    const hotspot = await startHotspot([validator.address]);
    await validator.advanceTo(0);
    await new Promise((resolve) => hotspot.events.once("round", resolve));
    const secret = randomBytes(16);
    const payload = encodeFrame({ tag: randomBytes(6), secret });
    // A ghost on the neighbouring channel comes first; the strongest copy is reported.
    radio.hear(payload, { freqHz: 868_300_000, rssiDeciDbm: -1_200, snrCentiDb: -1_000, tmstUs: 999_990 });
    radio.hear(payload);
    radio.hear(randomBytes(20));
    radio.refuse("crc_bad");
    await validator.until(() => validator.submissions.length === 1);
    radio.hear(payload, { tmstUs: 9_000_000 });
    const { bundle } = validator.submissions[0]!;
    expect(bundle.witnesses).toHaveLength(1);
    const [report] = bundle.witnesses;
    expect(report!.measurement).toMatchObject({ rssiDeciDbm: -1_010, snrCentiDb: -320, freqHz: 868_100_000 });
    expect(report!.proof).toEqual(
      computeProof(secret, keyPair.publicKey, encodeMeasurement(report!.measurement)),
    );
    await eventually(async () => {
      const { packets } = (await read(hotspot, "/v1/packets")).json as { packets: PacketRow[] };
      return packets.map(({ kind, reason }) => `${kind} ${reason}`).sort();
    }).toEqual([
      "beacon heard_before",
      "beacon null",
      "ghost ghost_copy",
      "other crc_bad",
      "other wrong_length",
    ]);
    // Its own beacon comes back to its own antenna.
    await validator.advanceTo(challenge.slotRound - 1);
    await validator.until(() => radio.transmitted.length === 1);
    radio.hear(radio.transmitted[0]!.payload);
    await eventually(async () => JSON.stringify((await read(hotspot, "/v1/packets")).json)).toContain(
      "own_beacon",
    );
  });

  test("spools what it has gathered before it waits for a secure element that is slow, when it stops", async () => {
    const validator = await startValidator();
    const asked = Promise.withResolvers<void>();
    const element = Promise.withResolvers<never>();
    const system = createSystemClock();
    let isStopping = false;
    const hotspot = await startHotspot([validator.address], keyPair, {
      cosign: () => {
        asked.resolve();
        return element.promise;
      },
      // What is gathered leaves by the stop, or not at all.
      clock: { ...system, after: (ms, wake) => system.after(ms, () => isStopping || wake()) },
    });
    await validator.advanceTo(challenge.slotRound - 1);
    await asked.promise;
    const spooled = new Promise((resolve) => hotspot.events.once("spooled", resolve));
    radio.hear(encodeFrame({ tag: randomBytes(6), secret: randomBytes(16) }));
    isStopping = true;
    const stopped = hotspot.stop();
    await spooled;
    element.reject(new CodedError("device_key_failed", "the token is not there"));
    await stopped;
  });

  test("says in words how it stands", async () => {
    const validator = await startValidator();
    const hotspot = await startHotspot([validator.address]);
    await validator.advanceTo(0);
    await new Promise((resolve) => hotspot.events.once("round", resolve));
    const { json } = await read(hotspot, "/v1/status");
    expect(json).toMatchObject({ region: "EU868", rounds: { round: 0, epoch: 0 } });
    expect(JSON.stringify(json.next)).toContain(`Beacon in round ${challenge.slotRound}`);
    const metrics = await (await fetch(`${hotspot.httpAddress()}/metrics`)).text();
    expect(metrics).toContain("hexbeacon_hotspot_round 0");
    expect(metrics).toContain('hexbeacon_hotspot_packets_total{kind="other",reason="crc_bad"} 0');
  });
});

describe("a hotspot that genesis does not name", () => {
  test("transmits nothing until a validator knows it, says so, and asks once an epoch", async () => {
    const validator = await startValidator();
    validator.judge = () => "unknown_sender";
    const stranger = newKeyWithSlot(3, 10);
    const hotspot = await startHotspot([validator.address], stranger);
    const hearUntil = async (round: number) => {
      for (let next = validator.round + 1; next <= round; next++) {
        await validator.advanceTo(next);
        await eventually(async () => hotspot.status().rounds?.round).toBe(next);
      }
    };
    await hearUntil(0);
    expect(hotspot.status().next.join()).toMatch(/^Beacons begin once /);
    await validator.until(() => validator.submissions.length === 1);
    await hearUntil(parameters.roundsPerEpoch - 2);
    expect(validator.submissions).toHaveLength(1);
    expect(validator.submissions[0]!.bundle).toMatchObject({ beacons: [], witnesses: [] });
    expect(radio.transmitted).toEqual([]);
    const { standing, ready, problems, next } = hotspot.status();
    expect([standing, ready]).toEqual(["unknown", false]);
    expect(problems.join()).toContain("Validators do not know this hotspot");
    expect(next.join()).toMatch(/^Beacons begin once .* asks again in about/);

    validator.judge = () => null;
    await hearUntil(parameters.roundsPerEpoch - 1);
    await validator.until(() => validator.submissions.length === 2);
    await eventually(async () => hotspot.status().standing).toBe("known");
    expect(hotspot.status().problems.join()).not.toContain("do not know");
    expect(hotspot.status().next.join()).not.toContain("Beacons begin");
    expect(hotspot.status().reports).toMatchObject([{ isQuestion: true }, { isQuestion: true }]);
  });
});

describe("a hotspot whose owner has registered it from elsewhere", () => {
  test("beacons in no epoch before the network can have asked it to, also after a restart", async () => {
    const validator = await startValidator();
    const stranger = newKeyWithSlot(3, 10);
    const { slotRound } = challengeOf(stranger.publicKey);
    const hotspot = await startHotspot([validator.address], stranger);
    await validator.advanceTo(0);
    await eventually(async () => hotspot.status().standing).toBe("known");
    for (let round = 1; round <= slotRound + 1; round++) {
      await validator.advanceTo(round);
      await eventually(async () => hotspot.status().rounds?.round).toBe(round);
    }
    expect(radio.transmitted).toEqual([]);
    expect(hotspot.status().next.join()).toContain("no beacon before epoch 4");
    await hotspot.stop();
    expect((await openFirstChallenge(home, computeNetworkId(genesis))).epoch).toBe(4);
  });
});

describe("a hotspot with no validator in reach", () => {
  test("runs, shows what it hears, does not beacon, and says what is wrong", async () => {
    const hotspot = await startHotspot(["/ip4/127.0.0.1/tcp/9"]);
    radio.hear(encodeFrame({ tag: randomBytes(6), secret: randomBytes(16) }));
    await eventually(async () => (await read(hotspot, "/v1/packets")).json).toMatchObject({
      packets: [{ kind: "beacon", kept: false, reason: "no_rounds", rssiDbm: -101 }],
    });
    expect((await read(hotspot, "/livez")).status).toBe(200);
    const ready = await read(hotspot, "/readyz");
    expect(ready.status).toBe(503);
    expect(JSON.stringify(ready.json)).toContain("No validator is in reach.");
    expect((await read(hotspot, "/nowhere")).status).toBe(404);
    expect(radio.transmitted).toEqual([]);
  });
});
