/** A secure element beside a hotspot: bound by its owner's command, and from then on needed for every beacon. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CONFIG_FILE, encodeConfigToml, KEY_FILE } from "../../node/src/cli/config.ts";
import { createSystemClock } from "../../node/src/host/clock.ts";
import { makePrivateFolder } from "../../node/src/host/durableFile.ts";
import { writeKeyFile } from "../../node/src/host/keystore.ts";
import type { HotspotStatus } from "../../node/src/hotspot/status.ts";
import { encodeDidKey } from "../../protocol/src/crypto/didKey.ts";
import { encodeGenesisJson } from "../../protocol/src/network/genesis.ts";
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { REGION_PLANS } from "../../protocol/src/radio/regions.ts";
import { homePaths } from "../../validator/src/home.ts";
import { startHexbeacon } from "../devnet/src/processes.ts";
import { createEther } from "../ether/ether.ts";
import { createForwarder } from "../ether/forwarder.ts";
import { REFERENCE_LUT_DBM } from "../ether/pullResp.ts";
import { createSoftToken, isTokenThere, type SoftToken } from "../unit/host/softToken.ts";
import { createTestGenesis, hotspotKey, OWNER, VALIDATOR } from "../unit/validator/support/network.ts";
import { runCommand, runToSuccess, startValidator, type ValidatorProcess } from "./validatorProcess.ts";

const PLACE = {
  region: "EU868",
  latitude: 38.7,
  longitude: -9.1,
  elevationM: 10,
  gainCentiDbi: 200,
} as const;
/** Epochs of 10 s: a command and the token's tool start within one, and two beacons need not wait for long. */
const EPOCHS = { ...PRESETS.test, roundsPerEpoch: 50 } as const;

describe.skipIf(!isTokenThere)("node bind (skipped where softhsm2 or opensc is not installed)", () => {
  let folder: string;
  let genesisFile: string;
  let token: SoftToken;
  let running: ValidatorProcess;
  const at = (name: string) => join(folder, name);

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "hexbeacon-binding-"));
    token = await createSoftToken(at("token"));
    vi.stubEnv("SOFTHSM2_CONF", token.env.SOFTHSM2_CONF);
    genesisFile = at("genesis.json");
    writeFileSync(genesisFile, encodeGenesisJson(createTestGenesis(1, Date.now(), EPOCHS)));
    for (const name of ["validator", "account", "home"]) await makePrivateFolder(at(name));
    await writeKeyFile(homePaths(at("validator")).key, VALIDATOR.secretSeed);
    await writeKeyFile(join(at("account"), KEY_FILE), OWNER.secretSeed);
    await writeKeyFile(join(at("home"), KEY_FILE), hotspotKey(0).secretSeed);
    writeFileSync(join(at("home"), CONFIG_FILE), encodeConfigToml({ ...PLACE, owner: OWNER.publicKey }));
    running = await startValidator(at("validator"), genesisFile);
  });
  afterEach(async () => {
    running.child.kill("SIGKILL");
    await running.exited;
    vi.unstubAllEnvs();
  });

  /** Runs the hotspot with a forwarder until a beacon of it has this verdict. */
  async function beaconUntil(reason: "not_cosigned" | "no_witness", flags: readonly string[]): Promise<void> {
    const clock = createSystemClock();
    const local = ["--gwmp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    const fixed = ["node", "run", "--home", at("home"), "--genesis", genesisFile, ...local];
    const links = ["--validator", running.addresses.multiaddrs[0]!];
    const child = await startHexbeacon<{ readonly http: string; readonly gwmp: string }>(
      [...fixed, ...links, ...flags, "--ready-json", "--exit-with-parent"],
      at(`${reason}.log`),
    );
    const port = Number(child.ready.gwmp.split(":").at(-1));
    const station = {
      id: "aa555a0000000001",
      latE7: 387_000_000,
      lngE7: -91_000_000,
      clutter: "open",
    } as const;
    const ether = createEther({ seed: 1 }, { clock });
    const forwarder = createForwarder(
      {
        eui: station.id,
        server: { host: "127.0.0.1", port },
        plan: REGION_PLANS.EU868,
        lutDbm: REFERENCE_LUT_DBM,
      },
      { port: ether.attach({ ...station, elevationM: 10, gainCentiDbi: 200 }), clock },
    );
    await forwarder.start();
    try {
      const count = async () =>
        ((await (await fetch(`${child.ready.http}/v1/status`)).json()) as HotspotStatus).verdicts.beacon[
          reason
        ];
      await expect.poll(count, { timeout: 90_000, interval: 200 }).toBeGreaterThan(0);
    } finally {
      await forwarder.stop();
      await child.stop();
    }
  }

  test("makes the network take beacons with the element's signature only", async () => {
    const owner = ["--account", at("account"), "--validator", running.addresses.http];
    const bind = ["node", "bind", "--home", at("home"), "--genesis", genesisFile, ...token.flags];
    expect(await runToSuccess(...bind, ...owner)).toContain("binding: accepted");
    await beaconUntil("not_cosigned", []);
    // Nobody is there to hear it; but that is all that is wrong with it.
    await beaconUntil("no_witness", token.flags);
    const request = at("request.json");
    await runToSuccess(...bind, "--validator", running.addresses.http, "--out", request);
    const sign = ["account", "sign", "--home", at("account"), "--genesis", genesisFile, "--request", request];
    const said = await runToSuccess(...sign, "--validator", running.addresses.http);
    expect(said).toContain("is bound to the device key");
    expect(said).toContain("binding: accepted");
    const bare = await runCommand("node", "bind", "--home", at("home"), "--genesis", genesisFile, ...owner);
    expect([bare.status, bare.stderr]).toEqual([2, expect.stringContaining("no device key is configured")]);

    const did = encodeDidKey(hotspotKey(0).publicKey);
    const unbind = ["node", "unbind", "--hotspot", did, "--genesis", genesisFile];
    const readDevice = async () =>
      ((await (await fetch(`${running.addresses.http}/v1/hotspots/${did}`)).json()) as { device: unknown })
        .device;
    expect(await readDevice()).toEqual({
      key: expect.stringMatching(/^0x0[23]/),
      fromEpoch: expect.any(Number),
    });
    expect(await runToSuccess(...unbind, ...owner)).toContain("unbinding: accepted");
    expect(await readDevice()).toBeNull();
    const again = await runCommand(...unbind, ...owner);
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining("not_bound")]);
  });
});
