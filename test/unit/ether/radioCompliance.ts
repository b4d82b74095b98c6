/**
 * What every radio of this project must do, whatever carries its frames: run it with a pair that hears each other.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type {
  ForwarderStatus,
  Radio,
  ReceivedPacket,
  TransmitRequest,
} from "../../../node/src/radio/radio.ts";

/** The forwarder of a pair's first radio, which most requests are for. */
export const EUI = "aa555a0000000001";

/** Two radios some hundred metres apart, started and able to send on EU868; `a` by the forwarder `EUI`. */
export type RadioPair = { readonly a: Radio; readonly b: Radio; close(): Promise<void> };

/** The shortest on air that a beacon can be: 61.7 ms. */
export const REQUEST: TransmitRequest = {
  payload: Uint8Array.from({ length: 24 }, (_, i) => 0xe0 ^ i),
  freqHz: 867_500_000,
  spreadingFactor: 7,
  bandwidthHz: 125_000,
  powerDbm: 13,
  forwarderEui: EUI,
};

/** The next packet that the radio hears. */
export function nextPacket(radio: Radio): Promise<ReceivedPacket> {
  return new Promise((resolve) => {
    const unsubscribe = radio.onPacket((packet) => {
      unsubscribe();
      resolve(packet);
    });
  });
}

export function describeRadioCompliance(name: string, createPair: () => Promise<RadioPair>): void {
  describe(`radio compliance: ${name}`, () => {
    let pair: RadioPair;
    beforeEach(async () => {
      pair = await createPair();
    });
    afterEach(() => pair.close());

    test("what one sends the other hears, with its measurement", async () => {
      const heard = nextPacket(pair.b);
      const result = await pair.a.transmit(REQUEST);
      expect(result).toMatchObject({ status: "queued", powerDbm: REQUEST.powerDbm, acknowledged: true });
      const packet = await heard;
      expect(packet).toMatchObject({
        payload: REQUEST.payload,
        freqHz: REQUEST.freqHz,
        spreadingFactor: REQUEST.spreadingFactor,
        bandwidthHz: REQUEST.bandwidthHz,
        modulation: "lora",
        crc: "ok",
      });
      expect(packet.rssiDeciDbm).toBeGreaterThan(-1_450);
      expect(packet.rssiDeciDbm).toBeLessThan(-100);
      expect(packet.snrCentiDb).toBeLessThanOrEqual(1_600);
      expect(packet.tmstUs).toBeGreaterThanOrEqual(0);
      expect(pair.b.status().packets.accepted).toBeGreaterThan(0);
    });

    test("a radio does not hear itself", async () => {
      let own = 0;
      pair.a.onPacket(() => own++);
      const heard = nextPacket(pair.b);
      await pair.a.transmit(REQUEST);
      await heard;
      const answer = nextPacket(pair.a);
      const [{ eui: forwarderEui }] = pair.b.status().forwarders as [ForwarderStatus];
      await pair.b.transmit({ ...REQUEST, payload: Uint8Array.of(1, 2, 3), forwarderEui });
      expect((await answer).payload).toEqual(Uint8Array.of(1, 2, 3));
      expect(own).toBe(1);
    });

    test("one frame at a time", async () => {
      const first = pair.a.transmit(REQUEST);
      expect(await pair.a.transmit(REQUEST)).toEqual({ status: "failed", reason: "busy", onAir: "no" });
      expect(await first).toMatchObject({ status: "queued" });
    });

    test("a request beyond what radios do is refused, and counted", async () => {
      const result = await pair.a.transmit({ ...REQUEST, payload: new Uint8Array(300) });
      expect(result).toEqual({ status: "failed", reason: "invalid_request", onAir: "no" });
      expect(pair.a.status().transmissions).toMatchObject({ queued: 0, invalid_request: 1 });
    });

    test("a frequency of another region fails as such", async () => {
      const result = await pair.a.transmit({ ...REQUEST, freqHz: 915_000_000 });
      expect(result).toEqual({ status: "failed", reason: "tx_freq", onAir: "no" });
    });

    test("an aborted request sends nothing", async () => {
      const result = await pair.a.transmit(REQUEST, AbortSignal.abort());
      expect(result).toEqual({ status: "failed", reason: "aborted", onAir: "no" });
    });

    test("after stop nothing is sent, nothing is heard, and stop may be called again", async () => {
      await pair.a.stop();
      await pair.a.stop();
      expect(await pair.a.transmit(REQUEST)).toMatchObject({ status: "failed", reason: "radio_stopped" });
    });

    test("a subscription ends when it is told to", async () => {
      let calls = 0;
      pair.b.onPacket(() => calls++)();
      const heard = nextPacket(pair.b);
      await pair.a.transmit(REQUEST);
      await heard;
      expect(calls).toBe(0);
    });
  });
}
