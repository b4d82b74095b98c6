import { randomBytes } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import type { Clock } from "../../../node/src/host/types.ts";
import type { Included, Submitted, Verdict } from "../../../node/src/hotspot/events.ts";
import { createHotspot, type Hotspot } from "../../../node/src/hotspot/hotspot.ts";
import { findGenesisPlacement } from "../../../node/src/hotspot/placement.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { encodeReason, type Reason } from "../../../protocol/src/evidence/reasons.ts";
import { encodeFrame } from "../../../protocol/src/radio/frame.ts";
import { VERDICT_PENDING, VERDICT_SELECTION_PENDING } from "../../../protocol/src/wire/receipts.ts";
import { eventually } from "../host/eventually.ts";
import { FakeRadio } from "./fakeRadio.ts";
import { createTestGenesis, FakeValidator, newKey } from "./fakeValidator.ts";

const validatorKeys = [newKey(), newKey()];
const keyPair = newKey();
const cleanups: (() => Promise<unknown>)[] = [];
let home: string;
let radio: FakeRadio;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-submitter-"));
  radio = new FakeRadio();
  // No beacon of its own comes between.
  radio.onTransmit = () => ({ status: "failed", reason: "no_forwarder", onAir: "no" });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startNetwork(
  count: 1 | 2,
  clock: Clock = createSystemClock(),
): Promise<{ validators: FakeValidator[]; hotspot: Hotspot }> {
  const committee = validatorKeys.slice(0, count);
  const genesis = createTestGenesis(committee, [keyPair]);
  const validators = await Promise.all(committee.map((key) => FakeValidator.start(key, genesis, committee)));
  const hotspot = createHotspot(
    {
      home,
      genesis,
      keyPair,
      radio,
      placement: findGenesisPlacement(genesis, keyPair.publicKey)!,
      validators: validators.map(({ address }) => address),
    },
    { clock, log: createSilentLog(), random: randomBytes },
  );
  await hotspot.start();
  cleanups.push(async () => {
    await hotspot.stop();
    await Promise.all(validators.map((validator) => validator.stop()));
  });
  await eventually(() => hotspot.status().validators.filter((v) => v.connected).length).toBe(count);
  for (const validator of validators) await validator.advanceTo(0);
  await eventually(() => hotspot.status().rounds?.round).toBe(0);
  return { validators, hotspot };
}

const hearBeacon = () => radio.hear(encodeFrame({ tag: randomBytes(6), secret: randomBytes(16) }));
const next = <T>(hotspot: Hotspot, event: "submitted" | "included" | "verdict"): Promise<T> =>
  new Promise((resolve) => hotspot.events.once(event, (...[value]: unknown[]) => resolve(value as T)));

describe("a submission", () => {
  test("is receipted, included, judged report by report, and leaves the spool", async () => {
    const { validators, hotspot } = await startNetwork(1);
    const [validator] = validators as [FakeValidator];
    const verdicts: Verdict[] = [];
    hotspot.events.on("verdict", (verdict) => verdicts.push(verdict));
    const submitted = next<Submitted>(hotspot, "submitted");
    const included = next<Included>(hotspot, "included");
    hearBeacon();
    hearBeacon();
    expect(await submitted).toMatchObject({ reason: null, kinds: ["witness", "witness"] });
    expect(hotspot.status().spool.entries).toBe(1);
    let codes = [VERDICT_PENDING, VERDICT_PENDING];
    validator.answer = () => ({ state: "included", round: 1, verdicts: codes });
    await validator.advanceTo(1);
    expect(await included).toMatchObject({ round: 1 });
    await eventually(() => hotspot.status().spool.entries).toBe(0);
    codes = [0, VERDICT_PENDING];
    await eventually(() => verdicts.length).toBe(1);
    // Nothing final: no verdict is told of.
    codes = [0, VERDICT_SELECTION_PENDING];
    await validator.advanceTo(2);
    codes = [0, encodeReason("rssi_above_ceiling")];
    await eventually(() => verdicts.length).toBe(2);
    expect(verdicts).toMatchObject([
      { index: 0, kind: "witness", reason: null },
      { index: 1, kind: "witness", reason: "rssi_above_ceiling" },
    ]);
    expect(hotspot.status().verdicts.witness).toEqual({ accepted: 1, rssi_above_ceiling: 1 });
    await validator.until(() => validator.gossiped.length === 1);
    expect(encodeHex(validator.gossiped[0]!.id)).toBe(encodeHex(validator.submissions[0]!.id));
  });

  test.each([
    ["is silent", "no_answer"],
    ["signs its receipt wrongly", "bad_receipt"],
  ] as const)(
    "goes to another validator when the first %s, and there at once from then on",
    async (_, outcome) => {
      const { validators, hotspot } = await startNetwork(2);
      const asked: FakeValidator[] = [];
      for (const validator of validators) {
        validator.judge = () => {
          asked.push(validator);
          return null;
        };
      }
      // Which of the two comes first depends on the hotspot's key and on which was connected first.
      hearBeacon();
      await eventually(() => asked.length).toBe(2);
      const [first, other] = asked as [FakeValidator, FakeValidator];
      if (outcome === "no_answer") first.isUp = false;
      else first.signsWell = false;
      hearBeacon();
      await other.until(() => other.submissions.length === 2);
      await eventually(() => hotspot.status().delivery.submissions[outcome]).toBe(1);
      hearBeacon();
      await other.until(() => other.submissions.length === 3);
      expect(hotspot.status().delivery.submissions[outcome]).toBe(1);
    },
  );

  test("has two validators' receipts where two are in reach, told of once", async () => {
    const { validators, hotspot } = await startNetwork(2);
    const told: Submitted[] = [];
    hotspot.events.on("submitted", (submitted) => told.push(submitted));
    for (const validator of validators) {
      validator.answer = () => ({ state: "pending", round: 0, verdicts: [] });
    }
    hearBeacon();
    await eventually(() => hotspot.status().delivery).toMatchObject({ admitted: 1, admittedTwice: 1 });
    const ids = validators.map(({ submissions }) => submissions.map(({ id }) => encodeHex(id)));
    expect(ids[0]).toEqual(ids[1]);
    expect(ids[0]).toHaveLength(1);
    expect(told).toHaveLength(1);
    expect(hotspot.status().spool.entries).toBe(1);
  });

  test("is tried again while a validator is busy, and given up where it can never be taken", async () => {
    const { validators, hotspot } = await startNetwork(1);
    const [validator] = validators as [FakeValidator];
    const answers: (Reason | null)[] = ["busy", "rate_limited", "future_epoch", null];
    validator.judge = () => answers.shift() ?? null;
    const submitted = next<Submitted>(hotspot, "submitted");
    hearBeacon();
    expect(await submitted).toMatchObject({ reason: null });
    expect(validator.submissions).toHaveLength(4);
    validator.judge = () => "unknown_sender";
    const refused = next<Submitted>(hotspot, "submitted");
    hearBeacon();
    expect(await refused).toMatchObject({ reason: "unknown_sender" });
    expect(hotspot.status().problems.join()).toContain("Validators do not know this hotspot");
    await eventually(() => hotspot.status().spool.entries).toBe(1);
  });

  test("is tried again as soon where the clock, two days ahead at the start, is set back meanwhile", async () => {
    let aheadMs = 2 * 86_400_000;
    const { validators, hotspot } = await startNetwork(1, {
      ...createSystemClock(),
      nowMs: () => Date.now() + aheadMs,
    });
    const [validator] = validators as [FakeValidator];
    validator.judge = () => (aheadMs > 0 ? "busy" : null);
    const submitted = next<Submitted>(hotspot, "submitted");
    hearBeacon();
    await eventually(() => hotspot.status().delivery.submissions.receipted).toBeGreaterThan(0);
    aheadMs = 0;
    expect(await submitted).toMatchObject({ reason: null });
  });

  test("is not given up where one validator does not know the hotspot, but where two do not", async () => {
    const { validators, hotspot } = await startNetwork(2);
    const asked: FakeValidator[] = [];
    for (const validator of validators) {
      validator.judge = () => {
        asked.push(validator);
        return asked[0] === validator ? "unknown_sender" : null;
      };
    }
    const submitted = next<Submitted>(hotspot, "submitted");
    hearBeacon();
    expect(await submitted).toMatchObject({ reason: null });
    expect(new Set(asked).size).toBe(2);
    expect(hotspot.status().standing).toBe("known");
    for (const validator of validators) validator.judge = () => "unknown_sender";
    const refused = next<Submitted>(hotspot, "submitted");
    hearBeacon();
    expect(await refused).toMatchObject({ reason: "unknown_sender" });
    expect(hotspot.status().standing).toBe("unknown");
  });

  test("goes elsewhere too when a quarter of its window has passed without a cut", async () => {
    const { validators, hotspot } = await startNetwork(2);
    for (const validator of validators) {
      validator.answer = () => ({ state: "pending", round: 0, verdicts: [] });
    }
    hearBeacon();
    const count = () => validators.reduce((sum, { submissions }) => sum + submissions.length, 0);
    await eventually(() => hotspot.status().delivery.admittedTwice).toBe(1);
    expect(count()).toBe(2);
    // The receipts' deadline is eight rounds ahead; two are a quarter.
    for (let round = 1; round <= 2; round++) for (const v of validators) await v.advanceTo(round);
    await eventually(() => hotspot.status().rounds?.round).toBe(2);
    expect(count()).toBe(2);
    for (const v of validators) await v.advanceTo(4);
    await eventually(count).toBeGreaterThan(2);
  });

  test("of an epoch that is past is given up with its reason, and the spool forgets it", async () => {
    const { validators, hotspot } = await startNetwork(1);
    const [validator] = validators as [FakeValidator];
    validator.judge = () => "busy";
    hearBeacon();
    await validator.until(() => validator.submissions.length >= 1);
    const reasons: (Reason | null)[] = [];
    hotspot.events.on("submitted", ({ reason }) => reasons.push(reason));
    await validator.advanceTo(40);
    await eventually(() => reasons).toContain("stale_epoch");
    await eventually(() => hotspot.status().spool.entries).toBe(0);
  });

  test("waits in the spool over a restart, and is delivered once, in order, with its original time", async () => {
    const { validators, hotspot } = await startNetwork(1);
    const [validator] = validators as [FakeValidator];
    validator.isUp = false;
    const heardAtMs = Date.now();
    for (let i = 0; i < 3; i++) {
      hearBeacon();
      await eventually(() => hotspot.status().spool.entries).toBe(i + 1);
    }
    await hotspot.stop();
    validator.isUp = true;
    const genesis = createTestGenesis(validatorKeys.slice(0, 1), [keyPair]);
    const again = createHotspot(
      {
        home,
        genesis,
        keyPair,
        radio,
        placement: findGenesisPlacement(genesis, keyPair.publicKey)!,
        validators: [validator.address],
      },
      { clock: createSystemClock(), log: createSilentLog(), random: randomBytes },
    );
    await again.start();
    cleanups.push(() => again.stop());
    await validator.until(() => validator.submissions.length === 3);
    const times = validator.submissions.map(({ bundle }) => bundle.witnesses[0]!.measurement.timeMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[2]! - heardAtMs).toBeLessThan(10_000);
    await validator.advanceTo(1);
    await eventually(() => again.status().spool.entries).toBe(0);
  });
});
