/** The doctor as a running hotspot asks it for its page: in a process of its own, with every setting that is in force. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { examineSelf, settingsToEnvironment } from "../../../node/src/cli/selfExamination.ts";
import { resolveSettings } from "../../../node/src/cli/settings/layers.ts";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { newKey } from "../hotspot/fakeValidator.ts";
import { initHome } from "./runNode.ts";

const PROGRAM = join(import.meta.dirname, "../../../node/src/cli/main.ts");
const NOBODY = "127.0.0.1:9";
const clock = createSystemClock();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-self-"));
});

async function resolve(flags: Record<string, unknown>) {
  const { settings, faults } = await resolveSettings({ flags, env: {}, systemFile: "" });
  expect(faults).toEqual([]);
  return settings;
}

describe("a hotspot's own examination", () => {
  test("finds what the doctor finds, under the settings that are in force", async () => {
    const home = join(folder, "home");
    await initHome(home, encodeDidKey(newKey().publicKey));
    const settings = await resolve({ home, timeServer: [NOBODY], validator: ["/ip4/127.0.0.1/tcp/9"] });
    const { findings } = await examineSelf(settings, { http: NOBODY, gwmp: NOBODY }, clock, [PROGRAM]);
    const resultOf = (check: string) => findings!.find((one) => one.check === check)?.result;
    expect(["configuration", "key", "genesis", "clock", "validators"].map(resultOf)).toEqual([
      ...["ok", "ok", "fail", "not_checked", "fail"],
    ]);
  });

  test("says that the doctor gave no answer where it cannot be started", async () => {
    const settings = await resolve({ home: folder });
    const { time, findings } = await examineSelf(settings, { http: NOBODY, gwmp: NOBODY }, clock, ["/none"]);
    expect([Date.parse(time) > 0, findings]).toEqual([true, null]);
  });

  test("takes every setting along as the environment has it", async () => {
    const flags = {
      home: folder,
      gain: "2.15",
      elevation: "-3",
      latitude: "46.95",
      longitude: "7.45",
      validator: ["/ip4/127.0.0.1/tcp/9", "/ip4/127.0.0.1/tcp/10"],
      deviceKeyToken: "on the roof",
    };
    const settings = await resolve(flags);
    const env = settingsToEnvironment(settings);
    const again = await resolveSettings({ flags: {}, env, systemFile: "" });
    expect([again.faults, again.settings]).toEqual([[], settings]);
  });
});
